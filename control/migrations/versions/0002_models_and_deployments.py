"""Models, their versions and files, deployments and their revisions.

All tables are new, so nothing here waits for a lock that anybody holds.
"""

from typing import Final

from alembic import op

revision = "0002"
down_revision = "0001"

UP: Final = (
    """
    CREATE TABLE artifacts (
        digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
        claimed_at timestamptz NOT NULL DEFAULT now(),
        doomed_at timestamptz
    )
    """,
    "CREATE INDEX artifacts_claimed ON artifacts (claimed_at)",
    """
    CREATE TABLE models (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
        name text NOT NULL,
        description text NOT NULL,
        versions integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT models_name_taken UNIQUE (project_id, name)
    )
    """,
    "CREATE INDEX models_page ON models (project_id, id)",
    """
    CREATE TABLE model_versions (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        model_id uuid NOT NULL REFERENCES models ON DELETE CASCADE,
        number integer NOT NULL CHECK (number > 0),
        file_name text NOT NULL,
        digest text NOT NULL REFERENCES artifacts,
        size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
        inspection jsonb NOT NULL,
        created_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT model_versions_number_taken UNIQUE (model_id, number),
        CONSTRAINT model_versions_digest_taken UNIQUE (model_id, digest)
    )
    """,
    "CREATE INDEX model_versions_digest ON model_versions (digest)",
    "CREATE INDEX model_versions_creator ON model_versions (created_by)",
    """
    CREATE TABLE deployments (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
        name text NOT NULL CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
        revision_number integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT deployments_name_taken UNIQUE (project_id, name)
    )
    """,
    "CREATE INDEX deployments_page ON deployments (project_id, id)",
    """
    CREATE TABLE revisions (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        deployment_id uuid NOT NULL REFERENCES deployments ON DELETE CASCADE,
        number integer NOT NULL CHECK (number > 0),
        version_id uuid NOT NULL CONSTRAINT revisions_hold_version REFERENCES model_versions,
        max_batch_size integer NOT NULL,
        max_delay_us integer NOT NULL,
        created_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT revisions_number_taken UNIQUE (deployment_id, number)
    )
    """,
    "CREATE INDEX revisions_version ON revisions (version_id)",
    "CREATE INDEX revisions_creator ON revisions (created_by)",
    # A deployment and its first revision name each other, so this waits for the end of their transaction.
    """
    ALTER TABLE deployments
    ADD CONSTRAINT deployments_revision FOREIGN KEY (id, revision_number) REFERENCES revisions (deployment_id, number)
    DEFERRABLE INITIALLY DEFERRED
    """,
    # A model version in the shape the API shows it.
    """
    CREATE VIEW version_documents AS
    SELECT
        model_versions.id,
        model_versions.model_id,
        model_versions.number,
        models.project_id,
        model_versions.inspection || jsonb_build_object(
            'id', model_versions.id,
            'model_id', model_versions.model_id,
            'model_name', models.name,
            'number', model_versions.number,
            'file_name', model_versions.file_name,
            'digest', model_versions.digest,
            'size_bytes', model_versions.size_bytes,
            'created_at', model_versions.created_at,
            'created_by', coalesce(users.name, '')
        ) AS document
    FROM model_versions
    JOIN models ON models.id = model_versions.model_id
    LEFT JOIN users ON users.id = model_versions.created_by
    """,
)

DOWN: Final = (
    "DROP VIEW version_documents",
    "ALTER TABLE deployments DROP CONSTRAINT deployments_revision",
    "DROP TABLE revisions",
    "DROP TABLE deployments",
    "DROP TABLE model_versions",
    "DROP TABLE models",
    "DROP TABLE artifacts",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
