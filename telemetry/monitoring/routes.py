"""Handlers of the monitoring API. The tenant comes from the signed header and from nowhere else."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from contracts.monitoring import (
    KeyHistory,
    KeyUses,
    OrganizationRequests,
    RecentRequests,
    RequestsByProject,
    RequestSummary,
)
from telemetry.injected import Organization, Store, Tenant
from telemetry.monitoring import keys, queries
from telemetry.monitoring.ranges import choose_range

Start = Annotated[datetime | None, QueryParameter(name="from")]
End = Annotated[datetime | None, QueryParameter(name="to")]
Limit = Annotated[int, QueryParameter(ge=1, le=500)]
Days = Annotated[int, QueryParameter(ge=1, le=400)]
Projects = Annotated[list[UUID], QueryParameter(min_items=1, max_items=200)]


@get("/monitoring/requests", operation_id="getRequestSummary")
async def get_request_summary(
    tenant: Tenant, store: Store, deployment_id: FromQuery[UUID], start: Start = None, end: End = None
) -> RequestSummary:
    """Requests, errors and latency percentiles over time; the last hour unless told otherwise."""
    range = choose_range(_utc(start), _utc(end), datetime.now(UTC))
    points, totals = await queries.summarize_requests(store, tenant, deployment_id, range)
    return RequestSummary(range.start, range.end, range.step_s, points, totals)


@get("/monitoring/recent", operation_id="listRecentRequests")
async def list_recent_requests(tenant: Tenant, store: Store, deployment_id: FromQuery[UUID], limit: Limit = 50) -> RecentRequests:
    """The latest calls, newest first."""
    return RecentRequests(await queries.list_recent_requests(store, tenant, deployment_id, limit, datetime.now(UTC)))


@get("/monitoring/organization", operation_id="countOrganizationRequests")
async def count_organization_requests(organization: Organization, store: Store, days: Days = 30) -> OrganizationRequests:
    """Requests and errors of today and the days before it, by day and by project."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return await queries.count_requests(store, organization, today - timedelta(days=days - 1))


@get("/monitoring/projects", operation_id="countRequestsByProject")
async def count_requests_by_project(organization: Organization, store: Store, project_id: Projects) -> RequestsByProject:
    """Requests and errors of the last day."""
    start = datetime.now(UTC) - timedelta(days=1)
    return RequestsByProject(await queries.count_by_project(store, organization, project_id, start))


@get("/monitoring/keys", operation_id="listKeyUses")
async def list_key_uses(tenant: Tenant, store: Store, days: Days = 30) -> KeyUses:
    """What a project's keys did."""
    return KeyUses(await keys.list_uses(store, tenant, days, datetime.now(UTC)))


@get("/monitoring/organization/keys", operation_id="listOrganizationKeyUses")
async def list_organization_key_uses(organization: Organization, store: Store, days: Days = 30) -> KeyUses:
    """What the keys of all of an organization's projects did."""
    return KeyUses(await keys.list_uses(store, organization, days, datetime.now(UTC)))


@get("/monitoring/keys/{key_id:uuid}", operation_id="getKeyHistory")
async def get_key_history(tenant: Tenant, store: Store, key_id: FromPath[UUID], days: Days = 30) -> KeyHistory:
    """What one key did, hour by hour or day by day."""
    return await keys.tell_history(store, tenant, key_id, days, datetime.now(UTC))


def _utc(time: datetime | None) -> datetime | None:
    """A time without an offset is taken as UTC."""
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
