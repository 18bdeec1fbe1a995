"""Names that would pass for others, wherever they are given."""

import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar

from control.fields import Name
from control.names import UNSEEN, NameUnfit, names_in, normalised
from control.openapi import describe
from tests.control.conftest import Account

CYRILLIC_A = "\u0430"
PLAIN = [
    "Analytical Engines",
    "Zürich",
    "Проект ML",
    "機械学習 AI開発",
    "مشروع",
    "한국어 프로젝트",
    "α-Test",
    "naïve café 🚀",
    "O'Neil & Söhne (2)",
    "Models \u2764\ufe0f",
    "हिन्दी परियोजना",
]


@pytest.mark.parametrize("name", PLAIN)
def test_names_of_every_language_are_taken(name: str) -> None:
    assert normalised(name) == name


@pytest.mark.parametrize(
    "name",
    [
        f"p{CYRILLIC_A}yments",
        "ΑΒC",
        "pay\u200bments",
        "pay\u200dments",
        "\u202efdp.exe",
        "pay\u00adments",
        "pay\ufeffments",
        "\ue000",
        "line\u2028break",
        f"{CYRILLIC_A}\u0301pple",
        "pay\u034fments",
        "pay\u3164ments",
        "payments\u2800",
        "payments\ufe0f",
        "payments\U000e0100",
    ],
)
def test_what_would_pass_for_another_is_refused(name: str) -> None:
    with pytest.raises(NameUnfit):
        normalised(name)


def test_one_name_has_one_spelling() -> None:
    assert normalised("Ｐａｙｍｅｎｔｓ") == normalised("Payments")
    assert normalised("cafe\u0301") == normalised("café")


@given(st.text(max_size=64))
def test_what_is_taken_stays_as_it_is_and_is_seen(text: str) -> None:
    try:
        name = normalised(text)
    except NameUnfit:
        return
    assert normalised(name) == name
    assert not {unicodedata.category(it) for it in name} & UNSEEN


class Body(msgspec.Struct, rename={"title": "name"}):
    title: Name | msgspec.UnsetType
    other: str
    maybe: Name | None = None


def test_the_names_of_a_body_are_found_by_their_type() -> None:
    assert names_in(Body) == {"name", "maybe"}
    assert names_in(list[str]) == frozenset()


def bodies(app: Litestar) -> dict[tuple[str, str], Any]:
    """Operations whose body has a name in an organization or a project, by method and path."""
    description = describe(app)
    found: dict[tuple[str, str], Any] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            named = description["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
            if named.get("properties", {}).get("name", {}).get("maxLength") == 64:
                found[method, path] = named
    return found


async def test_no_route_takes_them(app: Litestar, account: Account):
    found = bodies(app)
    assert len(found) >= 8
    for (method, path), schema in found.items():
        values: dict[str, Any] = {"organization_id": account.organization_id, "project_id": account.project_id}
        filled = path.format_map(
            {it: values.get(it, account.user_id) for it in ("organization_id", "project_id", "key_id", "account_id", "id")}
        )
        body = dict.fromkeys(schema.get("required", []), "x") | {"name": f"p{CYRILLIC_A}y"}
        answer = await account.client.request(method, filled, json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:headrace:problem:NameUnfit"), (path, answer.text)
