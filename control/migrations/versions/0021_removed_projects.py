"""Projects that were removed for good, until telemetry has forgotten them.

Only control's own background work reads or writes it: the tenants' role has no right to it.
"""

from typing import Final

from alembic import op

revision = "0021"
down_revision = "0020"

UP: Final = """
    CREATE TABLE removed_projects (
        id uuid PRIMARY KEY,
        organization_id uuid NOT NULL,
        removed_at timestamptz NOT NULL DEFAULT now()
    )
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE removed_projects")
