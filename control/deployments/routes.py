"""Deployment routes. Every change is a new revision; gateways learn of it through the route table."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct
from redis.asyncio import Redis

from control.deployments import queries, service, trial
from control.deployments.schemas import Deployment, DeploymentPage, DeploymentPatch, NewDeployment, RevisionPage
from control.deployments.status import describe, read_workers
from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.injected import Database, Resources, Tenant, Who


@dataclass
class TrialOperation(Operation):
    """Says what a handler that passes the body on unread cannot say by its signature."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(
            description="An inference request of the Open Inference Protocol.",
            required=True,
            content={"application/json": OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT, additional_properties=True))},
        )


class InferenceAnswer(Struct, frozen=True):
    """What the gateway answered, in the Open Inference Protocol's words."""

    model_name: str
    outputs: list[dict[str, Any]]
    model_version: str = ""
    id: str = ""


@get(
    "/projects/{project_id:uuid}/deployments", operation_id="listDeployments", tags=["Deployments"], permission="deployments:read"
)
async def list_deployments(
    tenant: Tenant, database: Database, resources: Resources, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> DeploymentPage:
    """A project's deployments with their states, newest first."""
    placed = await database.run(lambda it: queries.list_deployments(it, tenant.project_id, cursor, limit + 1))
    workers = await read_workers(resources.redis) if placed else None
    items = [describe(it, workers) for it in placed[:limit]]
    return DeploymentPage(items, items[-1].id if len(placed) > limit else None)


@post(
    "/projects/{project_id:uuid}/deployments",
    operation_id="createDeployment",
    tags=["Deployments"],
    permission="deployments:write",
)
async def create_deployment(
    data: JSONBody[NewDeployment], tenant: Tenant, database: Database, resources: Resources, who: Who
) -> Deployment:
    """Deploy a model version under a name that applications call."""
    async with database.transaction() as connection:
        id = await service.create_deployment(connection, tenant.project_id, who, data)
    return await _show(database, resources.redis, tenant.project_id, id)


@get(
    "/projects/{project_id:uuid}/deployments/{deployment_id:uuid}",
    operation_id="getDeployment",
    tags=["Deployments"],
    permission="deployments:read",
)
async def get_deployment(deployment_id: FromPath[UUID], tenant: Tenant, database: Database, resources: Resources) -> Deployment:
    """One deployment, with its state on every worker."""
    return await _show(database, resources.redis, tenant.project_id, deployment_id)


@patch(
    "/projects/{project_id:uuid}/deployments/{deployment_id:uuid}",
    operation_id="updateDeployment",
    tags=["Deployments"],
    permission="deployments:write",
)
async def update_deployment(
    deployment_id: FromPath[UUID],
    data: JSONBody[DeploymentPatch],
    tenant: Tenant,
    database: Database,
    resources: Resources,
    who: Who,
) -> Deployment:
    """Put a new revision in place: another model version, other settings, or the same once more."""
    async with database.transaction() as connection:
        await service.revise_deployment(connection, tenant.project_id, deployment_id, who, data)
    return await _show(database, resources.redis, tenant.project_id, deployment_id)


@delete(
    "/projects/{project_id:uuid}/deployments/{deployment_id:uuid}",
    operation_id="deleteDeployment",
    tags=["Deployments"],
    permission="deployments:write",
)
async def delete_deployment(deployment_id: FromPath[UUID], tenant: Tenant, database: Database, who: Who) -> None:
    """Take a deployment out of service, with its history."""
    async with database.transaction() as connection:
        await service.delete_deployment(connection, tenant.project_id, deployment_id, who)


@get(
    "/projects/{project_id:uuid}/deployments/{deployment_id:uuid}/revisions",
    operation_id="listDeploymentRevisions",
    tags=["Deployments"],
    permission="deployments:read",
)
async def list_deployment_revisions(
    deployment_id: FromPath[UUID],
    tenant: Tenant,
    database: Database,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> RevisionPage:
    """What was deployed under this name over time, newest first."""
    async with database.transaction() as connection:
        await queries.find_name(connection, tenant.project_id, deployment_id)
        items = await queries.list_revisions(connection, tenant.project_id, deployment_id, cursor, limit + 1)
    return RevisionPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post(
    "/projects/{project_id:uuid}/deployments/{deployment_id:uuid}/infer",
    operation_id="tryDeployment",
    tags=["Deployments"],
    permission="predictions:make",
    operation_class=TrialOperation,
    request_max_body_size=trial.MAX_REQUEST_BYTES,
    status_code=HTTP_200_OK,
    responses={HTTP_200_OK: ResponseSpec(InferenceAnswer, description="The gateway's answer.", generate_examples=False)},
)
async def try_deployment(
    deployment_id: FromPath[UUID], tenant: Tenant, database: Database, resources: Resources, request: Request[Any, Any, Any]
) -> Response[bytes]:
    """Call the deployment through the gateway, whose status and body are the answer.

    `X-Headrace-Gateway-Ms` is the gateway's time, its `Server-Timing` where that went, `X-Headrace-Cache` whether it was kept.
    """
    name = await database.run(lambda it: queries.find_name(it, tenant.project_id, deployment_id))
    secret = resources.settings.secret
    answer = await trial.infer(resources.gateway, secret, tenant.project_id, name, await request.body())
    headers = answer.headers | {"X-Headrace-Gateway-Ms": f"{answer.elapsed_ms:.1f}"}
    return Response(answer.body, status_code=answer.status, media_type=answer.content_type, headers=headers)


async def _show(database: Database, redis: Redis, project_id: UUID, deployment_id: UUID) -> Deployment:
    placed = await database.run(lambda it: queries.find_deployment(it, project_id, deployment_id))
    return describe(placed, await read_workers(redis))


HANDLERS: Final[list[HTTPRouteHandler]] = [
    list_deployments,
    create_deployment,
    get_deployment,
    update_deployment,
    delete_deployment,
    list_deployment_revisions,
    try_deployment,
]
