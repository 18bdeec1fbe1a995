"""SQL of the monitoring API, each statement above the function that runs it. Tenant first, a bounded time range in each."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from contracts.monitoring import (
    DayRequests,
    OrganizationRequests,
    ProjectRequests,
    RecentRequest,
    RequestPoint,
    RequestTotals,
)
from contracts.tenancy import Tenant
from telemetry.monitoring.ranges import Range
from telemetry.store import Store

RECENT_DAYS: Final = 7

REQUESTS_BY_STEP: Final[LiteralString] = """
    SELECT
        toUnixTimestamp(toStartOfInterval(minute, toIntervalSecond({step_s:UInt32}))) AS step,
        grouping(step) AS is_total,
        sum(requests),
        sum(errors),
        sum(server_errors),
        sum(rows),
        quantilesTDigestMerge(0.5, 0.95, 0.99)(total_us_digest)
    FROM request_1m
    WHERE organization_id = {organization:UUID}
      AND project_id = {project:UUID}
      AND deployment_id = {deployment:UUID}
      AND minute >= {start:DateTime('UTC')}
      AND minute < {end:DateTime('UTC')}
    GROUP BY GROUPING SETS ((step), ())
    ORDER BY is_total, step
"""

LOST_RECORDS: Final[LiteralString] = """
    SELECT sum(lost)
    FROM lost_records
    WHERE time >= {start:DateTime('UTC')} AND time < {end:DateTime('UTC')}
"""

RECENT_REQUESTS: Final[LiteralString] = """
    SELECT
        request_id, toUnixTimestamp64Micro(time), status, error_code, rows, batch_rows, total_us, queue_us, infer_us, version_id
    FROM request_log
    WHERE organization_id = {organization:UUID}
      AND project_id = {project:UUID}
      AND deployment_id = {deployment:UUID}
      AND time >= {start:DateTime('UTC')}
    ORDER BY time DESC
    LIMIT {limit:UInt32}
"""


MOST_PROJECTS: Final = 100

REQUESTS_BY_DAY: Final[LiteralString] = """
    SELECT toUnixTimestamp(toStartOfDay(minute)) AS day, sum(requests), sum(errors)
    FROM request_1m
    WHERE organization_id = {organization:UUID}
      AND minute >= {start:DateTime('UTC')}
    GROUP BY day
    ORDER BY day
"""

REQUESTS_OF_ALL_PROJECTS: Final[LiteralString] = """
    SELECT project_id, sum(requests) AS requests, sum(errors)
    FROM request_1m
    WHERE organization_id = {organization:UUID}
      AND minute >= {start:DateTime('UTC')}
    GROUP BY project_id
    ORDER BY requests DESC, project_id
    LIMIT {limit:UInt32}
"""

REQUESTS_OF_PROJECTS: Final[LiteralString] = """
    SELECT project_id, sum(requests), sum(errors)
    FROM request_1m
    WHERE organization_id = {organization:UUID}
      AND project_id IN {projects:Array(UUID)}
      AND minute >= {start:DateTime('UTC')}
    GROUP BY project_id
"""


async def count_requests(store: Store, tenant: Tenant, start: datetime) -> OrganizationRequests:
    """By day and by project, since `start`."""
    parameters: dict[str, Any] = {"organization": tenant.organization_id, "start": start}
    comment = f"headrace: requests, organization {tenant.organization_id}"
    days = await store.query(REQUESTS_BY_DAY, parameters, comment)
    projects = await store.query(REQUESTS_OF_ALL_PROJECTS, parameters | {"limit": MOST_PROJECTS}, comment)
    return OrganizationRequests(
        [DayRequests(datetime.fromtimestamp(day, UTC), *counts) for day, *counts in days],
        [ProjectRequests(*row) for row in projects],
    )


async def count_by_project(store: Store, tenant: Tenant, projects: list[UUID], start: datetime) -> list[ProjectRequests]:
    """Those of `projects` that had any since `start`."""
    parameters: dict[str, Any] = {"organization": tenant.organization_id, "projects": projects, "start": start}
    comment = f"headrace: requests by project, organization {tenant.organization_id}"
    return [ProjectRequests(*row) for row in await store.query(REQUESTS_OF_PROJECTS, parameters, comment)]


async def summarize_requests(
    store: Store, tenant: Tenant, deployment_id: UUID, range: Range
) -> tuple[list[RequestPoint], RequestTotals]:
    """Points in order of time, and the totals over them; percentiles come from merged t-digests."""
    bounds = {"start": range.start, "end": range.end}
    parameters = _scope(tenant, deployment_id) | bounds | {"step_s": range.step_s}
    steps = await store.query(REQUESTS_BY_STEP, parameters, _comment("requests", tenant))
    lost = await store.query(LOST_RECORDS, bounds, _comment("lost records", tenant))
    points = [
        RequestPoint(datetime.fromtimestamp(step, UTC), *counts, *_whole(percentiles))
        for step, is_total, *counts, percentiles in steps
        if not is_total
    ]
    totals = RequestTotals(0, 0, 0, 0, None, None, None, lost[0][0])
    if points:
        _, _, *counts, percentiles = steps[-1]
        totals = RequestTotals(*counts, *_whole(percentiles), lost=lost[0][0])
    return points, totals


async def list_recent_requests(
    store: Store, tenant: Tenant, deployment_id: UUID, limit: int, now: datetime
) -> list[RecentRequest]:
    """The latest calls of the last `RECENT_DAYS` days, newest first."""
    parameters = _scope(tenant, deployment_id) | {"limit": limit, "start": now - timedelta(days=RECENT_DAYS)}
    rows = await store.query(RECENT_REQUESTS, parameters, _comment("recent requests", tenant))
    return [RecentRequest(id, from_microseconds(time_us), *others) for id, time_us, *others in rows]


def _scope(tenant: Tenant, deployment_id: UUID) -> dict[str, Any]:
    return {"organization": tenant.organization_id, "project": tenant.project_id, "deployment": deployment_id}


def _comment(operation: str, tenant: Tenant) -> str:
    return f"headrace: {operation}, project {tenant.project_id}"


def _whole(percentiles: list[float]) -> list[int]:
    return [round(it) for it in percentiles]


def from_microseconds(time_us: int) -> datetime:
    """The time so many microseconds after the epoch, to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
