"""Logins at OpenID Connect providers that open accounts, and people who have no password because of it.

Dropping NOT NULL's twin in the check reads the table once, under its lock.
"""

from typing import Final

from alembic import op

revision = "0020"
down_revision = "0019"

UP: Final = (
    """
    ALTER TABLE users
        DROP CONSTRAINT users_kind_fits,
        ADD CONSTRAINT users_kind_fits CHECK (
            CASE kind
                WHEN 'person' THEN email IS NOT NULL AND organization_id IS NULL
                WHEN 'service' THEN email IS NULL AND password_hash IS NULL AND organization_id IS NOT NULL
                ELSE false
            END
        )
    """,
    """
    CREATE TABLE identities (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        issuer text NOT NULL,
        subject text NOT NULL,
        email text,
        linked_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz,
        CONSTRAINT identities_taken UNIQUE (issuer, subject),
        CONSTRAINT identities_once UNIQUE (user_id, issuer)
    )
    """,
    """
    CREATE TABLE used_sign_ins (
        sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
        until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX used_sign_ins_until ON used_sign_ins (until)",
)

DOWN: Final = (
    "DROP TABLE used_sign_ins",
    "DROP TABLE identities",
    "UPDATE users SET password_hash = '$2b$12$' || repeat('.', 53) WHERE kind = 'person' AND password_hash IS NULL",
    """
    ALTER TABLE users
        DROP CONSTRAINT users_kind_fits,
        ADD CONSTRAINT users_kind_fits CHECK (
            CASE kind
                WHEN 'person' THEN email IS NOT NULL AND password_hash IS NOT NULL AND organization_id IS NULL
                WHEN 'service' THEN email IS NULL AND password_hash IS NULL AND organization_id IS NOT NULL
                ELSE false
            END
        )
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
