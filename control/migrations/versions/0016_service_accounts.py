"""Service accounts: rows of `users` without an address or a password, each of one organization.

So whatever holds people (members, roles in projects, owners of keys, the audit log) holds machines as well. An organization
makes, changes and deletes its own; people stay out of its reach. The check reads the table once, under its lock.
"""

from typing import Final

from alembic import op

revision = "0016"
down_revision = "0015"

UP: Final = (
    """
    ALTER TABLE users
        ALTER COLUMN email DROP NOT NULL,
        ALTER COLUMN password_hash DROP NOT NULL,
        ADD COLUMN kind text NOT NULL DEFAULT 'person',
        ADD COLUMN organization_id uuid REFERENCES organizations ON DELETE CASCADE,
        ADD COLUMN disabled_at timestamptz,
        ADD CONSTRAINT users_kind_fits CHECK (
            CASE kind
                WHEN 'person' THEN email IS NOT NULL AND password_hash IS NOT NULL AND organization_id IS NULL
                WHEN 'service' THEN email IS NULL AND password_hash IS NULL AND organization_id IS NOT NULL
                ELSE false
            END
        )
    """,
    "CREATE INDEX users_service_accounts ON users (organization_id, id) WHERE kind = 'service'",
    "CREATE UNIQUE INDEX users_service_name_taken ON users (organization_id, lower(name)) WHERE kind = 'service'",
    "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY all_names ON users FOR SELECT TO headrace_tenant USING (true)",
    """
    CREATE POLICY own_service_accounts ON users TO headrace_tenant
    USING (kind = 'service' AND organization_id = current_organization())
    """,
    "GRANT SELECT (kind, organization_id, disabled_at) ON users TO headrace_tenant",
    "GRANT INSERT (kind, organization_id, name), UPDATE (name, disabled_at), DELETE ON users TO headrace_tenant",
)

DOWN: Final = (
    "REVOKE ALL ON users FROM headrace_tenant",
    "GRANT SELECT (id, email, name, created_at) ON users TO headrace_tenant",
    "DROP POLICY own_service_accounts ON users",
    "DROP POLICY all_names ON users",
    "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
    "DELETE FROM users WHERE kind = 'service'",
    """
    ALTER TABLE users
        DROP COLUMN kind,
        DROP COLUMN organization_id,
        DROP COLUMN disabled_at,
        ALTER COLUMN email SET NOT NULL,
        ALTER COLUMN password_hash SET NOT NULL
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
