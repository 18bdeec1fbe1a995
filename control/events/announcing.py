"""Announcing an event in the transaction that makes it true: Postgres tells it to the control processes with the commit."""

from typing import Final, LiteralString
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from control.database import Connection

EVENTS_CHANNEL: Final = "headrace_events"


class Event(Struct, frozen=True):
    """Something that changed."""

    id: UUID
    """The same in every process that hears of it."""
    organization_id: UUID
    project_id: UUID | None
    """None: in the organization as a whole, so that every project's pages hear of it."""
    type: str
    """`deployment.update`."""
    target: str
    """Id of what changed."""


NOTIFY: Final[LiteralString] = """
    SELECT pg_notify('headrace_events', $1)
"""


async def announce(connection: Connection, organization_id: UUID, project_id: UUID | None, type: str, target: str) -> None:
    """Tell pages that `target` changed, if and when the transaction commits."""
    event = Event(uuid4(), organization_id, project_id, type, target)
    await connection.execute(NOTIFY, msgspec.json.encode(event).decode())
