"""Organizations are deleted with seven days to undo it, and have settings of their own."""

from typing import Final

from alembic import op

revision = "0019"
down_revision = "0018"

UP: Final = (
    """
    ALTER TABLE organizations
        ADD COLUMN deleted_at timestamptz,
        ADD COLUMN default_role text NOT NULL DEFAULT 'developer'
            CONSTRAINT organizations_default_role CHECK (default_role IN ('viewer', 'developer', 'admin')),
        ADD COLUMN email_domains text[] NOT NULL DEFAULT '{}',
        ADD COLUMN log_retention_days integer
            CONSTRAINT organizations_log_retention CHECK (log_retention_days BETWEEN 1 AND 90),
        ADD COLUMN alert_emails text[] NOT NULL DEFAULT '{}',
        ADD COLUMN sealed_slack_webhook bytea
    """,
    "CREATE INDEX organizations_deleted ON organizations (deleted_at) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX organizations_log_retained ON organizations (id) WHERE log_retention_days IS NOT NULL",
)
DOWN: Final = (
    "DELETE FROM deployments USING projects, organizations "
    "WHERE projects.id = deployments.project_id AND organizations.id = projects.organization_id "
    "AND organizations.deleted_at IS NOT NULL",
    "DELETE FROM organizations WHERE deleted_at IS NOT NULL",
    """
    ALTER TABLE organizations
        DROP COLUMN deleted_at,
        DROP COLUMN default_role,
        DROP COLUMN email_domains,
        DROP COLUMN log_retention_days,
        DROP COLUMN alert_emails,
        DROP COLUMN sealed_slack_webhook
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
