"""The audit log: rows that are only ever added, and the seal of each organization's last one.

The tables are new. They refer to nothing, because what they tell outlives the people and the things it is about.
"""

from typing import Final

from alembic import op

revision = "0007"
down_revision = "0006"

UP: Final = (
    """
    CREATE TABLE audit_entries (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        organization_id uuid NOT NULL,
        number bigint NOT NULL CHECK (number > 0),
        at timestamptz NOT NULL,
        actor_id uuid,
        actor text NOT NULL,
        address text NOT NULL,
        request_id text NOT NULL,
        project_id uuid,
        action text COLLATE "C" NOT NULL CHECK (action ~ '^[a-z_]+[.][a-z_]+$'),
        target_id text NOT NULL,
        target_name text NOT NULL,
        before text CHECK (before IS JSON),
        after text CHECK (after IS JSON),
        seal bytea NOT NULL CHECK (octet_length(seal) = 32),
        CONSTRAINT audit_entries_one_of_each UNIQUE (organization_id, number)
    )
    """,
    "CREATE INDEX audit_entries_page ON audit_entries (organization_id, at, number)",
    "CREATE INDEX audit_entries_actor ON audit_entries (organization_id, actor, at, number)",
    "CREATE INDEX audit_entries_action ON audit_entries (organization_id, action, at, number)",
    "CREATE INDEX audit_entries_target ON audit_entries (organization_id, target_id, at, number)",
    "CREATE INDEX audit_entries_target_name ON audit_entries (organization_id, target_name, at, number)",
    """
    CREATE TABLE audit_heads (
        organization_id uuid PRIMARY KEY,
        number bigint NOT NULL,
        seal bytea NOT NULL CHECK (octet_length(seal) = 32)
    )
    """,
    """
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
    END
    $$
    """,
    """
    CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
    "ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only",
    """
    CREATE TRIGGER audit_heads_stay BEFORE DELETE OR TRUNCATE ON audit_heads
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
    "ALTER TABLE audit_heads ENABLE ALWAYS TRIGGER audit_heads_stay",
    # An owner can take away its own rights; only a superuser is not asked for them, and meets the triggers.
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries FROM PUBLIC, CURRENT_USER",
    "REVOKE DELETE, TRUNCATE ON audit_heads FROM PUBLIC, CURRENT_USER",
)

DOWN: Final = (
    "DROP TABLE audit_heads",
    "DROP TABLE audit_entries",
    "DROP FUNCTION refuse_audit_change",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
