"""A project in the shape the API shows it, with how much it holds.

The counts are subqueries on indexed columns, so that reading a page of projects counts for the rows of that page alone.
"""

from typing import Final

from alembic import op

revision = "0003"
down_revision = "0002"

UP: Final = """
    CREATE VIEW project_summaries AS
    SELECT
        projects.id,
        projects.organization_id,
        organizations.slug AS organization_slug,
        projects.name,
        projects.slug,
        projects.description,
        projects.created_at,
        (SELECT count(*) FROM models WHERE models.project_id = projects.id) AS models,
        (SELECT count(*) FROM deployments WHERE deployments.project_id = projects.id) AS deployments
    FROM projects
    JOIN organizations ON organizations.id = projects.organization_id
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP VIEW project_summaries")
