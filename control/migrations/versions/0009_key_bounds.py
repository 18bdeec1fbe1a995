"""Where a key may be used and what for, and the secret it had before its last rotation.

`shown_keys` is a key as people see it. New columns with constant defaults take their lock for a moment only.
"""

from typing import Final

from alembic import op

revision = "0009"
down_revision = "0008"

UP: Final = (
    """
    ALTER TABLE api_keys
        ADD COLUMN deployments uuid[],
        ADD COLUMN networks cidr[] NOT NULL DEFAULT '{}',
        ADD COLUMN previous_sha256 bytea CHECK (octet_length(previous_sha256) = 32),
        ADD COLUMN previous_expires_at timestamptz,
        ADD CONSTRAINT api_keys_previous CHECK ((previous_sha256 IS NULL) = (previous_expires_at IS NULL))
    """,
    """
    CREATE VIEW shown_keys AS
    SELECT
        api_keys.id, api_keys.project_id, api_keys.key_id, api_keys.name, api_keys.scopes, users.name AS owner,
        api_keys.created_at, api_keys.expires_at, api_keys.revoked_at, api_keys.limits::text AS limits,
        api_keys.deployments, api_keys.networks::text[] AS networks,
        CASE WHEN api_keys.previous_expires_at > now() THEN api_keys.previous_expires_at END AS previous_expires_at
    FROM api_keys
    LEFT JOIN users ON users.id = api_keys.created_by
    WHERE api_keys.kind = 'api'
    """,
)
DOWN: Final = (
    "DROP VIEW shown_keys",
    """
    ALTER TABLE api_keys
        DROP COLUMN deployments, DROP COLUMN networks, DROP COLUMN previous_sha256, DROP COLUMN previous_expires_at
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
