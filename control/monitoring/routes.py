"""Monitoring routes: telemetry knows the numbers, control knows whose they are."""

from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from contracts.monitoring import (
    KeyHistory,
    KeyUses,
    OrganizationRequests,
    RecentRequests,
    RequestsByProject,
    RequestSummary,
)
from control.deployments.queries import find_name
from control.fields import read_time
from control.injected import Database, Member, Resources, Tenant
from control.keys.queries import find_key
from control.monitoring.client import ask, ask_of_organization
from control.monitoring.projects import name_projects
from control.monitoring.schemas import ProjectTraffic, Traffic

Start = Annotated[
    str | None, QueryParameter(name="from", format="date-time", max_length=64, description="Absent: one hour before `to`.")
]
End = Annotated[str | None, QueryParameter(name="to", format="date-time", max_length=64, description="Absent: now.")]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many calls to answer at most.")]
Days = Annotated[int, QueryParameter(ge=1, le=400, description="How many, with today.")]
ProjectIds = Annotated[list[UUID], QueryParameter(min_items=1, max_items=200, description="Which; others' are left out.")]


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


@get(
    "/organizations/{organization_id:uuid}/monitoring/requests",
    operation_id="getOrganizationTraffic",
    tags=["Monitoring"],
    permission="usage:read",
)
async def get_organization_traffic(member: Member, database: Database, resources: Resources, days: Days = 30) -> Traffic:
    """Requests and errors of today and the days before it (UTC), by day, and by project for those that the caller sees."""
    path, query = "/monitoring/organization", {"days": days}
    found = await ask_of_organization(resources, member.organization_id, path, query, OrganizationRequests)
    names = await database.run(lambda it: name_projects(it, member, [one.project_id for one in found.projects]))
    shown = [
        ProjectTraffic(it.project_id, *names[it.project_id], it.requests, it.errors)
        for it in found.projects
        if it.project_id in names
    ]
    return Traffic(found.days, shown)


@get(
    "/organizations/{organization_id:uuid}/monitoring/projects",
    operation_id="countRequestsByProject",
    tags=["Monitoring"],
    permission="organization:read",
)
async def count_requests_by_project(
    project_id: ProjectIds, member: Member, database: Database, resources: Resources
) -> RequestsByProject:
    """Requests and errors of the last day, for those of the projects that the caller sees; one call for a page of a list."""
    seen = await database.run(lambda it: name_projects(it, member, project_id))
    if not seen:
        return RequestsByProject([])
    query = {"project_id": list(map(str, seen))}
    return await ask_of_organization(resources, member.organization_id, "/monitoring/projects", query, RequestsByProject)


@get("/projects/{project_id:uuid}/monitoring/keys", operation_id="listKeyUses", tags=["Monitoring"], permission="keys:read")
async def list_key_uses(tenant: Tenant, resources: Resources, days: Days = 30) -> KeyUses:
    """What a project's API keys did: requests, errors, refusals of limits, and when they were last used."""
    return await ask(resources, tenant, "/monitoring/keys", {"days": str(days)}, KeyUses)


@get(
    "/organizations/{organization_id:uuid}/monitoring/keys",
    operation_id="listOrganizationKeyUses",
    tags=["Monitoring"],
    permission="keys:read_all",
)
async def list_organization_key_uses(member: Member, resources: Resources, days: Days = 30) -> KeyUses:
    """The same of the keys of all projects."""
    query = {"days": days}
    return await ask_of_organization(resources, member.organization_id, "/monitoring/organization/keys", query, KeyUses)


@get(
    "/projects/{project_id:uuid}/keys/{id:uuid}/monitoring",
    operation_id="getKeyHistory",
    tags=["Monitoring"],
    permission="keys:read",
)
async def get_key_history(
    id: FromPath[UUID], tenant: Tenant, database: Database, resources: Resources, days: Days = 30
) -> KeyHistory:
    """What one API key did, by the hour for a week at most, else by the day (UTC)."""
    await database.run(lambda it: find_key(it, tenant.project_id, id))
    return await ask(resources, tenant, f"/monitoring/keys/{id}", {"days": str(days)}, KeyHistory)


HANDLERS: Final[list[HTTPRouteHandler]] = [
    get_request_summary,
    list_recent_requests,
    get_organization_traffic,
    count_requests_by_project,
    list_key_uses,
    list_organization_key_uses,
    get_key_history,
]
