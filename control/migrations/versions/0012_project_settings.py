"""Projects with tags that can be searched, archived, and deleted with a week to undo it.

The column `words` is computed for every project, so the table is rewritten under its exclusive lock: it is small. A deleted
project gives up its name at once but keeps its slug, so that it comes back under its old address.
"""

from typing import Final

from alembic import op

revision = "0012"
down_revision = "0011"

PROJECT_SUMMARIES: Final = """
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
PROJECT_ROLES: Final = """
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
"""

UP: Final = (
    """
    ALTER TABLE projects
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN deleted_at timestamptz,
    DROP CONSTRAINT projects_name_taken
    """,
    "CREATE UNIQUE INDEX projects_name_taken ON projects (organization_id, name) WHERE deleted_at IS NULL",
    "CREATE INDEX projects_deleted ON projects (deleted_at) WHERE deleted_at IS NOT NULL",
    # A generated column takes immutable functions alone, and of arrays of text array_to_string is one.
    """
    CREATE FUNCTION project_words(name text, description text, tags text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('simple'::regconfig, name || ' ' || array_to_string(tags, ' ') || ' ' || description)
    """,
    """
    ALTER TABLE projects
    ADD COLUMN words tsvector NOT NULL GENERATED ALWAYS AS (project_words(name, description, tags)) STORED
    """,
    "CREATE INDEX projects_words ON projects USING gin (words)",
    "DROP VIEW project_roles",
    # The one place that says what role a member has in a project; null hides it from them.
    """
    CREATE FUNCTION role_in_project(in_organization text, in_project text, visibility text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN in_organization IN ('admin', 'owner') THEN in_organization
        WHEN in_project IS NOT NULL THEN in_project
        WHEN visibility = 'organization' THEN in_organization
    END
    """,
    """
    CREATE VIEW all_project_roles AS
    SELECT
        members.user_id,
        projects.id AS project_id,
        projects.organization_id,
        projects.archived_at,
        projects.deleted_at,
        role_in_project(members.role, project_members.role, projects.visibility) AS role
    FROM projects
    JOIN members ON members.organization_id = projects.organization_id
    LEFT JOIN project_members ON project_members.project_id = projects.id AND project_members.user_id = members.user_id
    """,
    """
    CREATE VIEW project_roles AS
    SELECT user_id, project_id, organization_id, role
    FROM all_project_roles
    WHERE deleted_at IS NULL
    """,
    "DROP VIEW project_summaries",
    # A project in the shape the API shows it, once for each person who sees it.
    """
    CREATE VIEW project_summaries AS
    SELECT
        members.user_id,
        role_in_project(members.role, project_members.role, projects.visibility) AS role,
        projects.id,
        projects.organization_id,
        organizations.slug AS organization_slug,
        projects.name,
        projects.slug,
        projects.description,
        projects.tags,
        projects.visibility,
        projects.created_at,
        projects.archived_at,
        projects.deleted_at,
        projects.words,
        (SELECT count(*) FROM models WHERE models.project_id = projects.id) AS models,
        (SELECT coalesce(sum(models.versions), 0) FROM models WHERE models.project_id = projects.id) AS versions,
        (SELECT count(*) FROM deployments WHERE deployments.project_id = projects.id) AS deployments
    FROM projects
    JOIN organizations ON organizations.id = projects.organization_id
    JOIN members ON members.organization_id = projects.organization_id
    LEFT JOIN project_members ON project_members.project_id = projects.id AND project_members.user_id = members.user_id
    WHERE role_in_project(members.role, project_members.role, projects.visibility) IS NOT NULL
    """,
)
DOWN: Final = (
    "DELETE FROM deployments WHERE project_id IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL)",
    "DELETE FROM projects WHERE deleted_at IS NOT NULL",
    "DROP VIEW project_summaries",
    "DROP VIEW project_roles",
    "DROP VIEW all_project_roles",
    "DROP INDEX projects_name_taken",
    """
    ALTER TABLE projects
    DROP COLUMN words,
    DROP COLUMN tags,
    DROP COLUMN archived_at,
    DROP COLUMN deleted_at,
    ADD CONSTRAINT projects_name_taken UNIQUE (organization_id, name)
    """,
    "DROP FUNCTION project_words",
    "DROP FUNCTION role_in_project",
    PROJECT_ROLES,
    PROJECT_SUMMARIES,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
