"""Projects are found by their tags through an index."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("CREATE INDEX projects_tags ON projects USING gin (tags)")


def downgrade() -> None:
    op.execute("DROP INDEX projects_tags")
