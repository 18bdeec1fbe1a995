"""The operator guide's table of settings agrees with the code, and its links lead somewhere."""

import re
from pathlib import Path
from typing import Any

import msgspec.structs
import pytest

from contracts.settings import (
    ALL_SETTINGS,
    PREFIX,
    CommandSettings,
    ControlSettings,
    GatewaySettings,
    ServeSettings,
    TelemetrySettings,
)
from control.database import TENANT_ROLE
from gateway.metric_families import FAMILIES, WORKER
from telemetry.metrics import Metrics

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "operator-guide.md").read_text()
READERS = {
    ControlSettings: "control",
    TelemetrySettings: "telemetry",
    GatewaySettings: "gateway",
    ServeSettings: "serve",
    CommandSettings: "command",
}
ROWS = {
    name: (readers, default)
    for name, readers, default in re.findall(rf"^\| `{PREFIX}(\w+)` \| ([\w, ]+) \| (`[^`]+`|\w+) \|", GUIDE, flags=re.MULTILINE)
}


def fields_of(name: str) -> dict[str, msgspec.structs.FieldInfo]:
    """The setting `name`, by the program that reads it."""
    return {READERS[it]: field for it in ALL_SETTINGS for field in msgspec.structs.fields(it) if field.name == name}


def shown(field: msgspec.structs.FieldInfo) -> str:
    """The default as the table writes it."""
    if field.required:
        return "required"
    value: Any = field.default
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if str(value) and value != () else "empty"


def test_every_setting_is_in_the_table_and_nothing_else_is() -> None:
    assert {name.lower() for name in ROWS} == {name for it in ALL_SETTINGS for name in it.__struct_fields__}


@pytest.mark.parametrize("name", ROWS)
def test_readers_and_default_are_the_codes(name: str) -> None:
    readers, default = ROWS[name]
    fields = fields_of(name.lower())
    assert readers == ("all" if len(fields) == len(READERS) else ", ".join(fields))
    assert default == shown(next(iter(fields.values())))


def test_the_gateway_s_metrics_are_in_the_table() -> None:
    shown = re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([\w, ]+) \| (.+) \|$", GUIDE, flags=re.MULTILINE)
    assert shown == [
        (it.name, it.kind, ", ".join((*it.labels, *(WORKER,) * it.is_per_worker)) or "none", it.text) for it in FAMILIES.values()
    ]


def test_the_metrics_it_names_exist() -> None:
    exported = {sample.name for family in Metrics().registry.collect() for sample in family.samples}
    named = set(re.findall(r"`(headrace_\w+)`", GUIDE))
    assert named
    assert named <= exported | FAMILIES.keys() | {TENANT_ROLE}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_links_to_other_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
