"""Handlers of the monitoring API. The tenant comes from the signed header and from nowhere else."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.params import FromQuery, QueryParameter

from contracts.monitoring import RecentRequests, RequestSummary
from telemetry.injected import Store, Tenant
from telemetry.monitoring import queries
from telemetry.monitoring.ranges import choose_range

Start = Annotated[datetime | None, QueryParameter(name="from")]
End = Annotated[datetime | None, QueryParameter(name="to")]
Limit = Annotated[int, QueryParameter(ge=1, le=500)]


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


def _utc(time: datetime | None) -> datetime | None:
    """A time without an offset is taken as UTC."""
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
