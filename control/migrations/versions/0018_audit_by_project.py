"""The audit log of one project is found through an index, like that of one actor."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("CREATE INDEX audit_entries_project ON audit_entries (organization_id, project_id, at, number)")


def downgrade() -> None:
    op.execute("DROP INDEX audit_entries_project")
