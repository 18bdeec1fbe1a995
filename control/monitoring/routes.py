"""Monitoring routes: telemetry knows the numbers, control knows whose they are."""

from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from contracts.monitoring import RecentRequests, RequestSummary
from control.deployments.queries import find_name
from control.fields import read_time
from control.injected import Database, Resources, Tenant
from control.monitoring.client import ask

Start = Annotated[
    str | None, QueryParameter(name="from", format="date-time", max_length=64, description="Absent: one hour before `to`.")
]
End = Annotated[str | None, QueryParameter(name="to", format="date-time", max_length=64, description="Absent: now.")]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many calls to answer at most.")]


@get(
    "/projects/{project_id:uuid}/deployments/{deployment_id:uuid}/monitoring/requests",
    operation_id="getRequestSummary",
    tags=["Monitoring"],
    permission="telemetry:read",
)
async def get_request_summary(
    deployment_id: FromPath[UUID], tenant: Tenant, database: Database, resources: Resources, start: Start = None, end: End = None
) -> RequestSummary:
    """Requests, errors and latency percentiles of a deployment over time; the last hour unless told otherwise."""
    bounds = {name: it.isoformat() for name, it in (("from", read_time(start)), ("to", read_time(end))) if it}
    await database.run(lambda it: find_name(it, tenant.project_id, deployment_id))
    query = {"deployment_id": str(deployment_id)} | bounds
    return await ask(resources, tenant, "/monitoring/requests", query, RequestSummary)


@get(
    "/projects/{project_id:uuid}/deployments/{deployment_id:uuid}/monitoring/recent",
    operation_id="listRecentRequests",
    tags=["Monitoring"],
    permission="telemetry:read",
)
async def list_recent_requests(
    deployment_id: FromPath[UUID], tenant: Tenant, database: Database, resources: Resources, limit: Limit = 50
) -> RecentRequests:
    """A deployment's latest calls, newest first."""
    await database.run(lambda it: find_name(it, tenant.project_id, deployment_id))
    query = {"deployment_id": str(deployment_id), "limit": str(limit)}
    return await ask(resources, tenant, "/monitoring/recent", query, RecentRequests)


HANDLERS: Final[list[HTTPRouteHandler]] = [get_request_summary, list_recent_requests]
