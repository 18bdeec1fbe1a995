"""People, organizations, projects, sessions and API keys."""

from typing import Final

from alembic import op

revision = "0001"
down_revision = None

UP: Final = (
    """
    CREATE TABLE users (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        email text NOT NULL CONSTRAINT users_email_taken UNIQUE,
        name text NOT NULL,
        password_hash text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE organizations (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        name text NOT NULL,
        slug text NOT NULL CONSTRAINT organizations_slug_taken UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE members (
        organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        role text NOT NULL CHECK (role IN ('owner', 'member')),
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, organization_id)
    )
    """,
    "CREATE INDEX members_organization ON members (organization_id)",
    """
    CREATE TABLE projects (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
        name text NOT NULL,
        slug text NOT NULL,
        description text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT projects_name_taken UNIQUE (organization_id, name),
        CONSTRAINT projects_slug_taken UNIQUE (organization_id, slug)
    )
    """,
    "CREATE INDEX projects_page ON projects (organization_id, id)",
    """
    CREATE TABLE sessions (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('token', 'cookie')),
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        ended_at timestamptz
    )
    """,
    "CREATE INDEX sessions_user ON sessions (user_id, expires_at)",
    """
    CREATE TABLE refresh_tokens (
        sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
        session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
        issued_at timestamptz NOT NULL DEFAULT now(),
        used_at timestamptz
    )
    """,
    "CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id, used_at)",
    """
    CREATE TABLE api_keys (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('api', 'console')),
        key_id text NOT NULL CONSTRAINT api_keys_key_id_taken UNIQUE CHECK (key_id ~ '^[a-z2-7]{12}$'),
        secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
        name text NOT NULL,
        scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
        created_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX api_keys_page ON api_keys (project_id, id)",
    "CREATE UNIQUE INDEX api_keys_one_console ON api_keys (project_id) WHERE kind = 'console'",
    "CREATE INDEX api_keys_creator ON api_keys (created_by)",
    """
    CREATE TABLE route_version (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        version bigint NOT NULL
    )
    """,
    "INSERT INTO route_version (version) VALUES (1)",
)

DOWN: Final = (
    "DROP TABLE route_version",
    "DROP TABLE api_keys",
    "DROP TABLE refresh_tokens",
    "DROP TABLE sessions",
    "DROP TABLE projects",
    "DROP TABLE members",
    "DROP TABLE organizations",
    "DROP TABLE users",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
