"""Model routes. An upload is the bare bytes of the file, streamed."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter

from control.audit.recording import Target, record
from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.injected import Connection, Resources, Tenant, Who
from control.registry import queries, service
from control.registry.schemas import Model, ModelPage, ModelVersion, ModelVersionPage, NewModel

FileName = Annotated[
    str,
    QueryParameter(
        min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", description="Name of the file, for people."
    ),
]
Number = Annotated[int, PathParameter(ge=1, le=2**31 - 1, description="Counts from 1 within the model.")]


@dataclass
class UploadOperation(Operation):
    """Says what a handler that reads the stream itself cannot say by its signature."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(
            description="The bytes of one ONNX file.",
            required=True,
            content={"application/octet-stream": OpenAPIMediaType(schema=Schema(content_media_type="application/octet-stream"))},
        )


@get("/projects/{project_id:uuid}/models", operation_id="listModels", tags=["Models"], permission="models:read")
async def list_models(tenant: Tenant, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> ModelPage:
    """A project's models, newest first."""
    items = await queries.list_models(connection, tenant.project_id, cursor, limit + 1)
    return ModelPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post("/projects/{project_id:uuid}/models", operation_id="createModel", tags=["Models"], permission="models:write")
async def create_model(data: JSONBody[NewModel], tenant: Tenant, connection: Connection, who: Who) -> Model:
    """Create a model, without versions yet."""
    model_id = await queries.insert_model(connection, tenant.project_id, data.name, data.description)
    await record(connection, who, "model.create", Target(model_id, data.name), after=data)
    return await queries.find_model(connection, tenant.project_id, model_id)


@get("/projects/{project_id:uuid}/models/{model_id:uuid}", operation_id="getModel", tags=["Models"], permission="models:read")
async def get_model(model_id: FromPath[UUID], tenant: Tenant, connection: Connection) -> Model:
    """One model, with its latest version and where it is deployed."""
    return await queries.find_model(connection, tenant.project_id, model_id)


@delete(
    "/projects/{project_id:uuid}/models/{model_id:uuid}", operation_id="deleteModel", tags=["Models"], permission="models:write"
)
async def delete_model(model_id: FromPath[UUID], tenant: Tenant, resources: Resources, who: Who) -> None:
    """Delete a model with all its versions; 409 while a deployment holds one, now or in its history."""
    await service.delete_model(resources.pool, resources.artifacts, tenant.project_id, model_id, who)


@get(
    "/projects/{project_id:uuid}/models/{model_id:uuid}/versions",
    operation_id="listModelVersions",
    tags=["Models"],
    permission="models:read",
)
async def list_model_versions(
    model_id: FromPath[UUID],
    tenant: Tenant,
    connection: Connection,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ModelVersionPage:
    """A model's versions, newest first."""
    await queries.check_model(connection, tenant.project_id, model_id)
    items = await queries.list_versions(connection, tenant.project_id, model_id, cursor, limit + 1)
    return ModelVersionPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post(
    "/projects/{project_id:uuid}/models/{model_id:uuid}/versions",
    operation_id="uploadModelVersion",
    tags=["Models"],
    permission="models:write",
    operation_class=UploadOperation,
    request_max_body_size=None,
)
async def upload_model_version(
    model_id: FromPath[UUID],
    tenant: Tenant,
    resources: Resources,
    request: Request[Any, Any, Any],
    who: Who,
    file_name: FileName = "model.onnx",
) -> ModelVersion:
    """Upload an ONNX file as the model's next version. It is inspected first; a file that cannot be served leaves nothing."""
    name = PurePath(file_name.replace("\\", "/")).name or "model.onnx"
    new = service.NewVersion(tenant.project_id, model_id, name, who, _announced(request))
    return await service.add_version(resources.registry, new, request.stream())


@get(
    "/projects/{project_id:uuid}/models/{model_id:uuid}/versions/{number:int}",
    operation_id="getModelVersion",
    tags=["Models"],
    permission="models:read",
)
async def get_model_version(model_id: FromPath[UUID], number: Number, tenant: Tenant, connection: Connection) -> ModelVersion:
    """One version, by its number."""
    return await queries.find_version(connection, tenant.project_id, model_id, number)


def _announced(request: Request[Any, Any, Any]) -> int | None:
    """The `Content-Length`; the server has refused what is no number."""
    length = request.headers.get("content-length")
    return int(length) if length else None


HANDLERS: Final[list[HTTPRouteHandler]] = [
    list_models,
    create_model,
    get_model,
    delete_model,
    list_model_versions,
    upload_model_version,
    get_model_version,
]
