"""What can be asked about models besides inference: the same answers as over HTTP, whose JSON is read into messages."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import msgspec
from google.protobuf import json_format

from contracts.errors import NotFound, Overloaded
from serving.application import configure, describe_model, describe_server, statistics_of
from serving.grpc.hosts import Session
from serving.grpc.messages import message
from serving.grpc.statuses import MethodUnsupported
from serving.repository import check_parameters, render_index


class Method(NamedTuple):
    """A method with one request and one answer."""

    request: Any
    """Class of the request's message."""
    answer: Callable[[Session, Any], Awaitable[Any]]
    """Gives the answer's message. Raises HeadraceError."""


async def _server_metadata(_session: Session, _request: Any) -> Any:
    return _read(describe_server("headrace", version("headrace")), "ServerMetadataResponse")


async def _model_ready(session: Session, request: Any) -> Any:
    """What is not there is not ready."""
    try:
        session.model(request.name, request.version or None)
    except (NotFound, Overloaded):
        return message("ModelReadyResponse")(ready=False)
    return message("ModelReadyResponse")(ready=True)


async def _model_metadata(session: Session, request: Any) -> Any:
    return _read(describe_model(session.model(request.name, request.version or None)), "ModelMetadataResponse")


async def _model_config(session: Session, request: Any) -> Any:
    model = session.model(request.name, request.version or None)
    return _read(msgspec.json.encode({"config": configure(model)}), "ModelConfigResponse")


async def _model_statistics(session: Session, request: Any) -> Any:
    models = (session.model(request.name, request.version or None),) if request.name else session.models()
    return _read(statistics_of(models), "ModelStatisticsResponse")


async def _repository_index(session: Session, request: Any) -> Any:
    return _read(b'{"models":%s}' % render_index(session.index(), request.ready), "RepositoryIndexResponse")


async def _load(session: Session, request: Any) -> Any:
    check_parameters(request.parameters)
    await session.change(request.model_name, "load")
    return message("RepositoryModelLoadResponse")()


async def _unload(session: Session, request: Any) -> Any:
    await session.change(request.model_name, "unload")
    return message("RepositoryModelUnloadResponse")()


def _read(body: bytes, kind: str) -> Any:
    return json_format.Parse(body, message(kind)())


METHODS: Final = {
    "ServerMetadata": Method(message("ServerMetadataRequest"), _server_metadata),
    "ModelReady": Method(message("ModelReadyRequest"), _model_ready),
    "ModelMetadata": Method(message("ModelMetadataRequest"), _model_metadata),
    "ModelConfig": Method(message("ModelConfigRequest"), _model_config),
    "ModelStatistics": Method(message("ModelStatisticsRequest"), _model_statistics),
    "RepositoryIndex": Method(message("RepositoryIndexRequest"), _repository_index),
    "RepositoryModelLoad": Method(message("RepositoryModelLoadRequest"), _load),
    "RepositoryModelUnload": Method(message("RepositoryModelUnloadRequest"), _unload),
}
"""By name; those that need a key where keys are needed."""

_SHARED_MEMORY: Final = "shared memory is not supported; send tensors in the request, in raw_input_contents if they are large"
_UNSUPPORTED: Final = {
    "SystemSharedMemory": _SHARED_MEMORY,
    "CudaSharedMemory": _SHARED_MEMORY,
    "TraceSetting": "trace settings are not supported; see /metrics and the request log for where time goes",
    "LogSettings": "log settings are not supported; the level is set when the server starts, by HEADRACE_LOG_LEVEL",
}
"""By the beginning of their methods' names the extensions that are not served, and what there is instead."""


def unsupported(name: str) -> MethodUnsupported:
    """What to say of a method that is not served."""
    reasons = (reason for beginning, reason in _UNSUPPORTED.items() if name.startswith(beginning))
    return MethodUnsupported(next(reasons, f"there is no method {name!r} here"))
