"""Roles in organizations and in projects, and projects that only their own members see.

`project_roles` is the one place that says what role a member has in a project; none (null) hides it from them.
"""

from typing import Final

from alembic import op

revision = "0008"
down_revision = "0007"

UP: Final = (
    "ALTER TABLE members DROP CONSTRAINT members_role_check",
    "UPDATE members SET role = 'developer' WHERE role = 'member'",
    "ALTER TABLE members ADD CONSTRAINT members_role_check CHECK (role IN ('viewer', 'developer', 'admin', 'owner'))",
    """
    ALTER TABLE projects
    ADD COLUMN visibility text NOT NULL DEFAULT 'organization' CHECK (visibility IN ('organization', 'private'))
    """,
    """
    CREATE TABLE project_members (
        project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        role text NOT NULL CHECK (role IN ('viewer', 'developer', 'admin')),
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, project_id)
    )
    """,
    "CREATE INDEX project_members_project ON project_members (project_id)",
    """
    CREATE VIEW project_roles AS
    SELECT
        members.user_id,
        projects.id AS project_id,
        projects.organization_id,
        CASE
            WHEN members.role IN ('admin', 'owner') THEN members.role
            WHEN project_members.role IS NOT NULL THEN project_members.role
            WHEN projects.visibility = 'organization' THEN members.role
        END AS role
    FROM projects
    JOIN members ON members.organization_id = projects.organization_id
    LEFT JOIN project_members ON project_members.project_id = projects.id AND project_members.user_id = members.user_id
    """,
)

DOWN: Final = (
    "DROP VIEW project_roles",
    "DROP TABLE project_members",
    "ALTER TABLE projects DROP COLUMN visibility",
    "ALTER TABLE members DROP CONSTRAINT members_role_check",
    "UPDATE members SET role = 'member' WHERE role <> 'owner'",
    "ALTER TABLE members ADD CONSTRAINT members_role_check CHECK (role IN ('owner', 'member'))",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
