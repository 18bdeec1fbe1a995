"""Links by mail that prove who owns an address: to verify it, and to set a new password."""

from typing import Final

from alembic import op

revision = "0010"
down_revision = "0009"

UP: Final = (
    "ALTER TABLE users ADD COLUMN email_verified_at timestamptz",
    """
    CREATE TABLE mailed_tokens (
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        purpose text NOT NULL CHECK (purpose IN ('password', 'email')),
        sha256 bytea NOT NULL CONSTRAINT mailed_tokens_taken UNIQUE CHECK (octet_length(sha256) = 32),
        sent_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, purpose)
    )
    """,
)

DOWN: Final = (
    "DROP TABLE mailed_tokens",
    "ALTER TABLE users DROP COLUMN email_verified_at",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
