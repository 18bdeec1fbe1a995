"""Row-level security: to one organization, the rows of all others do not exist, whatever a statement forgets to say.

Holds for the role `headrace_tenant` alone, which transactions take on (`control.database`); the owner goes on seeing everything.
The statements take their locks for a moment only. Roles belong to the server rather than the database, so going back leaves it.
"""

from typing import Final

from alembic import op

from control.migrations.row_security import by_parent, close_rows, open_rows

revision = "0015"
down_revision = "0014"

# Whoever may make roles gets a new one with the right to grant it, but not yet that to take it on.
ROLE: Final = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'headrace_tenant') THEN
            CREATE ROLE headrace_tenant NOLOGIN;
        END IF;
        IF NOT pg_has_role(current_user, 'headrace_tenant', 'SET') THEN
            EXECUTE format('GRANT headrace_tenant TO %I', current_user);
        END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN
            NULL; -- made at this moment for another database of the server
        WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'this user may not make roles; have an administrator run, then start again: %',
                format('CREATE ROLE headrace_tenant NOLOGIN; GRANT headrace_tenant TO %I', current_user);
    END
    $$
"""
CURRENT_ORGANIZATION: Final = """
    CREATE FUNCTION current_organization() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('headrace.organization_id', true), '')::uuid
"""
OWN_ROWS: Final = {
    "organizations": "id = current_organization()",
    "members": "organization_id = current_organization()",
    "invitations": "organization_id = current_organization()",
    "projects": "organization_id = current_organization()",
    "audit_entries": "organization_id = current_organization()",
    "audit_heads": "organization_id = current_organization()",
    "project_members": by_parent("project_members", "project_id", "projects"),
    "api_keys": by_parent("api_keys", "project_id", "projects"),
    "models": by_parent("models", "project_id", "projects"),
    "model_versions": by_parent("model_versions", "model_id", "models"),
    "deployments": by_parent("deployments", "project_id", "projects"),
    "revisions": by_parent("revisions", "deployment_id", "deployments"),
    "batch_jobs": by_parent("batch_jobs", "project_id", "projects"),
    "batch_job_files": by_parent("batch_job_files", "job_id", "batch_jobs"),
}
FEWER_RIGHTS: Final = {"audit_entries": "SELECT, INSERT", "audit_heads": "SELECT, INSERT, UPDATE"}
"""The audit log is only ever added to."""
SHARED: Final = (
    # People belong to several organizations, and their names stay on what they made after they left.
    "GRANT SELECT (id, email, name, created_at) ON users TO headrace_tenant",
    "GRANT SELECT, UPDATE ON route_version TO headrace_tenant",
    # Files are content-addressed and shared: a transaction that comes to hold one locks it.
    "GRANT SELECT, UPDATE (claimed_at) ON artifacts TO headrace_tenant",
)
VIEWS: Final = ("version_documents", "held_artifacts", "shown_keys", "all_project_roles", "project_roles", "project_summaries")


def upgrade() -> None:
    op.execute(ROLE)
    op.execute(CURRENT_ORGANIZATION)
    for table, own in OWN_ROWS.items():
        for statement in open_rows(table, own, *([FEWER_RIGHTS[table]] if table in FEWER_RIGHTS else [])):
            op.execute(statement)
    for statement in SHARED:
        op.execute(statement)
    for view in VIEWS:
        # A view reads with its owner's rights, unless it is told to use the reader's.
        op.execute(f"ALTER VIEW {view} SET (security_invoker = true)")
        op.execute(f"GRANT SELECT ON {view} TO headrace_tenant")


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"REVOKE ALL ON {view} FROM headrace_tenant")
        op.execute(f"ALTER VIEW {view} RESET (security_invoker)")
    for table in ("users", "route_version", "artifacts"):
        op.execute(f"REVOKE ALL ON {table} FROM headrace_tenant")
    for table in OWN_ROWS:
        for statement in close_rows(table):
            op.execute(statement)
    op.execute("DROP FUNCTION current_organization")
