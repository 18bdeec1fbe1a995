"""What holds for every route of the API, whoever wrote it."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from httpx import AsyncClient
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from contracts.settings import ControlSettings
from control.app import create_app
from control.openapi import describe
from tests.control.conftest import Account

PUBLIC = {
    "registerAccount",
    "logIn",
    "refreshSession",
    "requestPasswordReset",
    "resetPassword",
    "verifyEmail",
    "openInvitation",
    "signUpInvited",
    "startSignIn",
    "finishSignIn",
    "finishSignInWithCode",
    "getSystem",
}


def api_routes() -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every (method, path, handler) under /api/v1."""
    app = create_app(ControlSettings(secret="only for the list of routes"))
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and route.path.startswith("/api/v1/"):
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield method, route.path_format, handler


ROUTES = sorted(api_routes(), key=lambda it: it[:2])


def filled(path: str, account: Account | None = None) -> str:
    """`path` with ids: the account's own organization and project, and made-up ones of everything else."""
    known = {"organization_id": account.organization_id, "project_id": account.project_id} if account else {}
    return re.sub(r"{(\w+)}", lambda it: "1" if it[1] == "number" else str(known.get(it[1]) or uuid4()), path)


def test_every_route_has_an_operation_id_of_its_own():
    names = [handler.operation_id for _, _, handler in ROUTES]
    assert all(isinstance(it, str) and re.fullmatch(r"[a-z]+([A-Z][a-z]*)+", it) for it in names), names
    assert len(set(names)) == len(names)


def test_only_these_routes_are_public():
    assert {handler.operation_id for _, _, handler in ROUTES if handler.opt.get("public")} == PUBLIC


async def test_an_anonymous_caller_is_refused_before_the_body_is_read(client: AsyncClient):
    for method, path, handler in ROUTES:
        if not handler.opt.get("public"):
            answer = await client.request(method, filled(path), content=b"not even JSON")
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), (method, path)


async def test_another_tenant_finds_nothing(account: Account, stranger: Account):
    for method, path, _ in ROUTES:
        if "{project_id}" in path or "{organization_id}" in path:
            answer = await stranger.client.request(method, filled(path, account), content=b"not even JSON")
            assert answer.status_code == 404, (method, path)


async def test_every_path_says_what_it_takes(account: Account):
    taken: dict[str, set[str]] = {}
    for method, path, _ in ROUTES:
        taken.setdefault(path, {"OPTIONS"}).add(method)
    for path, methods in taken.items():
        answer = await account.client.options(filled(path, account))
        assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (204, methods), path


def test_the_description_shows_errors_as_problems(app: Litestar):
    description = describe(app)
    operations = [it for item in description["paths"].values() for it in item.values()]
    assert description["openapi"].startswith("3.1")
    assert {"detail", "title", "status"} <= description["components"]["schemas"]["Problem"]["properties"].keys()
    assert all("application/problem+json" in it["responses"]["default"]["content"] for it in operations)
    assert not any(status.startswith("4") for it in operations for status in it["responses"])


def test_the_description_says_what_needs_no_login(app: Litestar):
    operations = [it for item in describe(app)["paths"].values() for it in item.values()]
    assert {it["operationId"] for it in operations if it.get("security") == []} == PUBLIC | {"getLiveness", "getReadiness"}


def test_the_description_says_that_bodies_take_no_unknown_fields(app: Litestar):
    schemas = describe(app)["components"]["schemas"]
    closed = {name for name, it in schemas.items() if it.get("additionalProperties") is False}
    assert {"NewAccount", "NewKey", "NewDeployment", "Batching"} <= closed
    assert not {"Deployment", "ModelVersion", "Problem"} & closed


async def test_a_refusal_says_what_would_be_taken(client: AsyncClient):
    refused = await client.put("/api/v1/me")
    anonymous = await client.get("/api/v1/me")
    assert "GET" in refused.headers["allow"]
    assert anonymous.headers["www-authenticate"] == "Bearer"


async def test_the_description_and_its_page_are_served_without_the_internet(client: AsyncClient):
    page = await client.get("/api/docs")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert page.status_code == 200
    assert files
    assert all(it.startswith("/api/docs/") for it in files)
    types = {(await client.get(it)).headers["content-type"].partition(";")[0] for it in files}
    assert {"text/css", "image/png"} < types
    assert types - {"text/css", "image/png"} <= {"text/javascript", "application/javascript"}
    description = (await client.get("/api/openapi.json")).json()
    assert "/api/v1/me" in description["paths"]
    assert [it["name"] for it in description["paths"]["/api/v1/projects/{project_id}"]["get"]["parameters"]] == ["project_id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nothing", 404), ("GET", "/api/nothing", 404), ("PUT", "/api/v1/me", 405), ("POST", "/nothing", 405)],
)
async def test_what_is_not_there_is_a_problem_with_a_request_id(client: AsyncClient, method: str, path: str, status: int):
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_answers_carry_security_headers_and_are_not_cached(client: AsyncClient):
    headers = (await client.get("/api/v1/system")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src 'self';" in headers["content-security-policy"]
