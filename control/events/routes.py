"""The event streams of a project and of an organization, as browsers' EventSource reads them."""

import time
from collections.abc import AsyncGenerator
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct
from redis.exceptions import RedisError

from control import resources as opened
from control.database import DatabaseUnavailable
from control.events.announcing import Event
from control.events.feed import ABOUT_PROJECTS, Position, Stream, Told, history, parse_position
from control.injected import Member, Principal, Resources, Tenant
from control.organizations.queries import find_membership

HEARTBEAT_S: Final = 15.0
"""How often a page hears that nothing happened, and its session is looked at."""
RETRY_MS: Final = 2000

LastEventId = Annotated[
    str | None, HeaderParameter(name="Last-Event-ID", max_length=64, description="The `id` of the last event seen.")
]


class Change(Struct, frozen=True):
    """What changed."""

    type: str
    """`deployment.update`: the kind of thing, and what was done to it, in the audit log's words.

    What happens by itself has words of its own: `deployment.state` when gateways take it up or let it go; `batch_job.start`,
    `batch_job.progress`, `batch_job.give_back`, `batch_job.fail` and `batch_job.succeed`.
    """
    target: str | None
    """Its id; null if it belongs to the organization as a whole."""


EVENTS: Final = {
    HTTP_200_OK: ResponseSpec(str, description="The stream.", media_type="text/event-stream", generate_examples=False)
}


@get(
    "/projects/{project_id:uuid}/events",
    operation_id="streamEvents",
    tags=["Events"],
    permission="events:read",
    responses=EVENTS,
)
async def stream_events(
    tenant: Tenant, principal: Principal, resources: Resources, last_event_id: LastEventId = None
) -> ServerSentEvent:
    """What changes in a project, and in its organization's people and projects, as it happens.

    Events named `change` say what changed. `open` comes first; `reset` in its place says that what came after `Last-Event-ID` is
    not known any more, so that everything is to be loaded anew. `end` says that the caller may not see this any more. The stream
    ends with the session, and now and then without reason: connect again with the last `id`.
    """
    stream = Stream(tenant.organization_id, tenant.project_id, tenant.user_id)
    return follow(stream, resources, principal.session_id, last_event_id)


@get(
    "/organizations/{organization_id:uuid}/events",
    operation_id="streamOrganizationEvents",
    tags=["Events"],
    permission="events:read",
    responses=EVENTS,
)
async def stream_organization_events(
    member: Member, principal: Principal, resources: Resources, last_event_id: LastEventId = None
) -> ServerSentEvent:
    """What changes in an organization's people and in its list of projects, as it happens: the events of `streamEvents`."""
    stream = Stream(member.organization_id, None, member.user_id)
    return follow(stream, resources, principal.session_id, last_event_id)


def follow(stream: Stream, resources: opened.Resources, session_id: UUID, last_event_id: str | None) -> ServerSentEvent:
    """The answer that lasts. Raises TooManyStreams."""
    resources.feed.check_room(stream.user_id)
    last = parse_position(last_event_id) if last_event_id else None
    return ServerSentEvent(tell(stream, resources, session_id, last))


async def tell(
    stream: Stream, resources: opened.Resources, session_id: UUID, last: Position | None
) -> AsyncGenerator[ServerSentEventMessage]:
    """Everything a page is told until its stream ends."""
    ends_at = time.monotonic() + resources.settings.event_stream_s
    with resources.feed.opened(stream):
        try:
            now, missed = await history(resources.redis, stream.organization_id, last)
        except (RedisError, OSError):
            return  # the browser comes again
        kind = "reset" if missed is None else "open"
        seen = last if last and missed else now
        yield ServerSentEventMessage(data="{}", event=kind, id=str(seen), retry=RETRY_MS)
        told = [it for it in missed or () if stream.wants(it.event)]
        while not stream.is_over or told:
            for it in told:
                if it.id > seen.id and await _may_know(it, stream, resources, session_id):
                    seen = Position(it.id, now.epoch)
                    yield _message(it.event, seen)
            if (left_s := ends_at - time.monotonic()) <= 0:
                return
            told = await stream.take(min(HEARTBEAT_S, left_s))
            if _touches_access(told) and not await _may_see(stream, stream.project_id, resources, session_id):
                yield ServerSentEventMessage(data="{}", event="end")
                return
            if not told:
                yield ServerSentEventMessage(data=None, comment="nothing happened")


def _touches_access(told: list[Told]) -> bool:
    """Whether to look at the page's session and role again: at every heartbeat, and when people or projects changed."""
    return not told or any(it.event.project_id is None or it.event.type.startswith(ABOUT_PROJECTS) for it in told)


async def _may_know(told: Told, stream: Stream, resources: opened.Resources, session_id: UUID) -> bool:
    """Whether the page is one of the event's own project, or of somebody who sees that project."""
    project_id = told.event.project_id
    return project_id in (None, stream.project_id) or await _may_see(stream, project_id, resources, session_id, in_deleted=True)


async def _may_see(
    stream: Stream, project_id: UUID | None, resources: opened.Resources, session_id: UUID, in_deleted: bool = False
) -> bool:
    who = session_id, stream.user_id, stream.organization_id, project_id
    try:
        found = await resources.pool.across_tenants.run(lambda it: find_membership(it, *who, in_deleted))
    except DatabaseUnavailable:
        return False
    return found.is_signed_in and found.role is not None


def _message(event: Event, seen: Position) -> ServerSentEventMessage:
    data = Change(event.type, event.target if event.project_id else None)
    return ServerSentEventMessage(data=msgspec.json.encode(data), event="change", id=str(seen))


HANDLERS: Final[list[HTTPRouteHandler]] = [stream_events, stream_organization_events]
