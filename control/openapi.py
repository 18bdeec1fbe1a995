"""The API's description (OpenAPI 3.1) and its documentation page, which works without the internet."""

import re
from collections.abc import Container
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.response import File
from litestar.routes import HTTPRoute
from openapi_ui_bundles import swagger_ui

from contracts.problems import PROBLEM_MEDIA_TYPE, Problem
from control.console import serve_file

REFERENCE: Final = "#/components/schemas/"
SWAGGER_FILES: Final = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")

DOCS_PAGE: Final = b"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headrace API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="icon" href="/api/docs/favicon-32x32.png">
<div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</html>
"""
START_SCRIPT: Final = b'SwaggerUIBundle({url: "/api/openapi.json", dom_id: "#docs", deepLinking: true});\n'
"""A file of its own, since the security policy forbids inline scripts."""


@lru_cache(maxsize=1)
def describe(app: Litestar) -> dict[str, Any]:
    """Litestar's description, and what it leaves out.

    Errors are the problems they are instead of Litestar's own error shape, bodies take no fields but those described, and some
    operations need no login. Made once: it takes 15 ms, and anybody may ask.
    """
    schema = app.openapi_schema.to_schema()
    _, components = msgspec.json.schema_components((Problem,), ref_template=REFERENCE + "{name}")
    schemas = {**schema["components"]["schemas"], **components}
    for name in _taken_in_bodies(schema):
        schemas[name] = {**schemas[name], "additionalProperties": False}
    schemas = {name: _without_default(it) for name, it in schemas.items()}
    public = {it.operation_id for it in _handlers(app) if it.opt.get("public")}
    paths = {path: {method: _mended(it, public) for method, it in item.items()} for path, item in schema["paths"].items()}
    return {**schema, "components": {**schema["components"], "schemas": dict(sorted(schemas.items()))}, "paths": paths}


def _without_default(schema: dict[str, Any]) -> dict[str, Any]:
    """A default is a field's; Litestar also leaves it with the type, or not, as the order of its work has it."""
    return {key: it for key, it in schema.items() if key != "default"}


def _handlers(app: Litestar) -> list[HTTPRouteHandler]:
    return [it for route in app.routes if isinstance(route, HTTPRoute) for it in route.route_handlers]


def _taken_in_bodies(schema: dict[str, Any]) -> set[str]:
    """Names of the schemas that request bodies are made of."""
    names: set[str] = set()
    new = _named_in([it.get("requestBody") for item in schema["paths"].values() for it in item.values()])
    while new:
        names |= new
        new = _named_in([schema["components"]["schemas"][name] for name in new]) - names
    return names


def _named_in(schemas: list[Any]) -> set[str]:
    return set(re.findall(f'"{REFERENCE}([^"]+)"', msgspec.json.encode(schemas).decode()))


def _mended(operation: dict[str, Any], public: Container[Any]) -> dict[str, Any]:
    security = {"security": []} if operation["operationId"] in public else {}
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = {status: _without_nothing(it) for status, it in operation["responses"].items() if not status.startswith("4")}
    return {
        **operation,
        **security,
        "responses": {**responses, "default": {"description": "What went wrong.", "content": content}},
    }


def _without_nothing(response: dict[str, Any]) -> dict[str, Any]:
    """An answer without a body has no content type either."""
    described = [it.get("schema") for it in response.get("content", {}).values()]
    return {key: it for key, it in response.items() if key != "content"} if described == [{"type": "null"}] else response


class DocsPlugin(OpenAPIRenderPlugin):
    """The documentation page, with its files from a package instead of a CDN."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return DOCS_PAGE

    def receive_router(self, router: Router) -> None:
        """Add the files the page asks for."""
        router.register(get_start_script)
        for name in SWAGGER_FILES:
            router.register(_serve_swagger_file(name))


class DescriptionPlugin(JsonRenderPlugin):
    """The description in the shape this program gives it."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return self.render_json(request, describe(request.app))


@get("/api/openapi.json", include_in_schema=False, sync_to_thread=False)
def get_description(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The description."""
    return describe(request.app)


@get("/start.js", sync_to_thread=False)
def get_start_script() -> Response[bytes]:
    """Starts Swagger UI."""
    return Response(START_SCRIPT, media_type="text/javascript")


def _serve_swagger_file(name: str) -> HTTPRouteHandler:
    @get(f"/{name}", sync_to_thread=False)
    def get_swagger_file() -> File:
        return serve_file(swagger_ui.static_path / name, "max-age=86400")

    return get_swagger_file


def openapi_config() -> OpenAPIConfig:
    """The page at /api/docs; the description stands at /api/openapi.json by a handler of its own."""
    return OpenAPIConfig(
        title="Headrace",
        version=version("headrace"),
        description="The control plane: accounts, projects, models, deployments, keys and monitoring.",
        path="/api/docs",
        render_plugins=[DocsPlugin(path="/"), DescriptionPlugin(path="/openapi.json")],
        security=[{"bearer": []}],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http", scheme="bearer", bearer_format="JWT", description="The access token of a session."
                )
            }
        ),
    )


HANDLERS: Final[list[HTTPRouteHandler]] = [get_description]
