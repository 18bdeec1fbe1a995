"""Batch prediction jobs and their files, and one place that says which stored files are held.

The tables are new. The view is read by the deletion of unused files, for a few digests at a time, each found by an index.
"""

from typing import Final

from alembic import op

revision = "0005"
down_revision = "0004"

UP: Final = (
    # What a job ran against is kept in words too, because deployment and version may go before the job's results do.
    """
    CREATE TABLE batch_jobs (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
        deployment_id uuid REFERENCES deployments ON DELETE SET NULL,
        deployment_name text NOT NULL,
        version_id uuid REFERENCES model_versions ON DELETE SET NULL,
        model_name text NOT NULL,
        model_version integer NOT NULL,
        file_name text NOT NULL,
        format text NOT NULL CHECK (format IN ('csv', 'jsonl', 'parquet')),
        state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        reason text NOT NULL DEFAULT '',
        rows_total bigint NOT NULL CHECK (rows_total >= 0),
        rows_done bigint NOT NULL DEFAULT 0,
        rows_failed bigint NOT NULL DEFAULT 0,
        parts integer NOT NULL DEFAULT 0,
        runner uuid,
        lease_until timestamptz,
        attempts integer NOT NULL DEFAULT 0,
        created_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        finished_at timestamptz
    )
    """,
    "CREATE INDEX batch_jobs_page ON batch_jobs (project_id, id)",
    "CREATE INDEX batch_jobs_deployment ON batch_jobs (deployment_id)",
    "CREATE INDEX batch_jobs_version ON batch_jobs (version_id)",
    "CREATE INDEX batch_jobs_creator ON batch_jobs (created_by)",
    "CREATE INDEX batch_jobs_open ON batch_jobs (project_id, state) WHERE state IN ('queued', 'running')",
    """
    CREATE TABLE batch_job_files (
        job_id uuid NOT NULL REFERENCES batch_jobs ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('input', 'results', 'failed_rows', 'results_part', 'failed_rows_part')),
        number integer NOT NULL,
        digest text NOT NULL REFERENCES artifacts,
        size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
        PRIMARY KEY (job_id, kind, number)
    )
    """,
    "CREATE INDEX batch_job_files_digest ON batch_job_files (digest)",
    """
    CREATE VIEW held_artifacts AS
    SELECT digest FROM model_versions
    UNION ALL
    SELECT digest FROM batch_job_files
    """,
)
DOWN: Final = (
    "DROP VIEW held_artifacts",
    "DROP TABLE batch_job_files",
    "DROP TABLE batch_jobs",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
