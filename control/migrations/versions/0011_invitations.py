"""Invitations that nobody has accepted yet; one that was accepted or revoked is gone.

Lists of members page by the person, so their index does too.
"""

from typing import Final

from alembic import op

revision = "0011"
down_revision = "0010"

UP: Final = (
    "CREATE INDEX members_page ON members (organization_id, user_id)",
    "DROP INDEX members_organization",
    """
    CREATE TABLE invitations (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
        email text NOT NULL,
        role text NOT NULL CHECK (role IN ('viewer', 'developer', 'admin')),
        token_sha256 bytea NOT NULL CONSTRAINT invitations_token_taken UNIQUE CHECK (octet_length(token_sha256) = 32),
        invited_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        CONSTRAINT invitations_once UNIQUE (organization_id, email)
    )
    """,
    "CREATE INDEX invitations_page ON invitations (organization_id, id)",
    "CREATE INDEX invitations_inviter ON invitations (invited_by)",
    "CREATE INDEX invitations_email ON invitations (email)",
)

DOWN: Final = (
    "DROP TABLE invitations",
    "CREATE INDEX members_organization ON members (organization_id)",
    "DROP INDEX members_page",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
