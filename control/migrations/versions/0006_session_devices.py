"""Where a session is used, and when it was last."""

from typing import Final

from alembic import op

revision = "0006"
down_revision = "0005"

UP: Final = (
    # `last_used_at` of the sessions there are: not known, so it is now.
    """
    ALTER TABLE sessions
    ADD COLUMN agent text NOT NULL DEFAULT '',
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now()
    """,
)

DOWN: Final = (
    """
    ALTER TABLE sessions
    DROP COLUMN agent,
    DROP COLUMN address,
    DROP COLUMN last_used_at
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
