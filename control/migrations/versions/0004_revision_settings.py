"""A revision's settings and a key's limits as documents, in the shape of the route table.

They are read and written whole and never searched, and every new setting would otherwise be a column in five statements. Adding
a column with a constant default takes its lock for a moment only, whatever the size of the table; the UPDATE of `revisions`
touches a few rows a deployment.
"""

from typing import Final

from alembic import op

revision = "0004"
down_revision = "0003"

UP: Final = (
    "ALTER TABLE revisions ADD COLUMN settings jsonb NOT NULL DEFAULT '{}'",
    """
    UPDATE revisions
    SET settings = jsonb_build_object(
        'batching', jsonb_build_object('max_batch_size', max_batch_size, 'max_delay_us', max_delay_us)
    )
    """,
    "ALTER TABLE revisions DROP COLUMN max_batch_size, DROP COLUMN max_delay_us",
    "ALTER TABLE api_keys ADD COLUMN limits jsonb NOT NULL DEFAULT '{}'",
)
DOWN: Final = (
    "ALTER TABLE api_keys DROP COLUMN limits",
    """
    ALTER TABLE revisions
        ADD COLUMN max_batch_size integer NOT NULL DEFAULT 64,
        ADD COLUMN max_delay_us integer NOT NULL DEFAULT 0
    """,
    """
    UPDATE revisions
    SET max_batch_size = coalesce((settings #>> '{batching,max_batch_size}')::integer, 64),
        max_delay_us = coalesce((settings #>> '{batching,max_delay_us}')::integer, 0)
    """,
    "ALTER TABLE revisions DROP COLUMN settings",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
