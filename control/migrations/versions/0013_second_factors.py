"""A second factor to log in with: codes of an authenticator, and codes to recover with when it is lost."""

from typing import Final

from alembic import op

revision = "0013"
down_revision = "0012"

UP: Final = (
    """
    CREATE TABLE second_factors (
        user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
        sealed_secret bytea NOT NULL,
        confirmed_at timestamptz,
        last_step bigint NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE recovery_codes (
        user_id uuid NOT NULL REFERENCES second_factors ON DELETE CASCADE,
        sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
        PRIMARY KEY (user_id, sha256)
    )
    """,
)

DOWN: Final = (
    "DROP TABLE recovery_codes",
    "DROP TABLE second_factors",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
