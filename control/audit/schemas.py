"""What the audit routes give."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class AuditEntry(Struct, frozen=True):
    """One change, as it was written down with it."""

    id: UUID
    number: int
    """Counts from 1 in the organization, without gaps."""
    at: datetime
    actor_id: UUID | None
    actor: str
    """The person's e-mail address at that time; empty for what Headrace did by itself."""
    address: str
    """The network address they called from."""
    request_id: str
    project_id: UUID | None
    action: str
    """`deployment.update`: the kind of thing, and what was done to it."""
    target_id: str
    target_name: str
    before: dict[str, object] | None
    """Secrets are left out. Null for what is new."""
    after: dict[str, object] | None
    """Null for what is gone."""
    seal: str
    """SHA-256, in hexadecimal, over the entry and the seal of the one before it."""


class AuditPage(Struct, frozen=True):
    """Entries, newest first."""

    items: list[AuditEntry]
    next_cursor: UUID | None
