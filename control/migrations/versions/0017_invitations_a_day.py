"""How many invitations an organization has sent on a day, so that nobody sends mail without end by inviting and revoking."""

from typing import Final

from alembic import op

revision = "0017"
down_revision = "0016"

UP: Final = """
    ALTER TABLE organizations
        ADD COLUMN invitations_day date NOT NULL DEFAULT '-infinity',
        ADD COLUMN invitations_sent integer NOT NULL DEFAULT 0
"""
DOWN: Final = "ALTER TABLE organizations DROP COLUMN invitations_day, DROP COLUMN invitations_sent"


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
