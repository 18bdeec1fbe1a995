"""Bodies that say more than they may, or are too large, whatever the route."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import msgspec
import pytest
from httpx import AsyncClient
from litestar import Litestar

from control.app import LARGEST_BODY_BYTES
from tests.control.conftest import PASSWORD, Account

REGISTER = "/api/v1/auth/register"
PERSON = {"email": "eve@example.com", "password": PASSWORD, "name": "Eve"}


def bodies(app: Litestar) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """What each operation takes as JSON."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            field = handler.parsed_data_field
            if field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, msgspec.Struct):
                yield str(handler.operation_id), field.annotation


def test_no_body_takes_a_field_that_it_does_not_name(made_app: Litestar):
    found = dict(bodies(made_app))
    assert len(found) > 30
    assert [name for name, it in found.items() if not it.__struct_config__.forbid_unknown_fields] == []


@pytest.mark.parametrize(
    "more",
    [
        {"id": str(uuid4())},
        {"role": "owner"},
        {"organization_id": str(uuid4())},
        {"is_email_verified": True},
        {"email_verified_at": "2026-01-01T00:00:00Z"},
        {"kind": "service"},
        {"password_hash": "x"},
    ],
)
async def test_who_signs_up_cannot_say_more_than_who_they_are(client: AsyncClient, more: dict[str, str]):
    answer = await client.post(REGISTER, json=PERSON | more)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.post("/api/v1/auth/login", json={"email": PERSON["email"], "password": PASSWORD})).status_code == 401


async def test_a_project_stays_in_the_organization_of_its_path(account: Account, stranger: Account):
    theirs = str(stranger.organization_id)
    made = await account.client.post(
        f"/api/v1/organizations/{account.organization_id}/projects", json={"name": "mine", "organization_id": theirs}
    )
    moved = await account.client.patch(f"/api/v1/projects/{account.project_id}", json={"organization_id": theirs})
    assert {made.status_code, moved.status_code} <= {400, 422}


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/auth/password-reset", "/organizations", "/me/password"])
async def test_ten_megabytes_of_json_are_refused(account: Account, path: str):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * LARGEST_BODY_BYTES

    sized = await account.client.post(f"/api/v1{path}", content=b'{"name": "' + b"x" * (10 << 20) + b'"}')
    chunked = await account.client.post(f"/api/v1{path}", content=chunks())
    for answer in (sized, chunked):
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
