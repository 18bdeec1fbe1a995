"""What the monitoring API answers about calls that are in the store."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pyarrow as pa
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from contracts.tenancy import TENANT_HEADER, Tenant, sign_tenant
from telemetry.columns import request_columns
from telemetry.store import Store
from tests.records import RequestRecord
from tests.telemetry.conftest import SECRET
from tests.telemetry.records import NOON_US, Source, lognormal_batches

Client = AsyncTestClient[Litestar]
NOON = datetime.fromtimestamp(NOON_US / 1e6, UTC)


async def ask(client: Client, path: str, source: Source, **query: Any) -> httpx.Response:
    return await ask_as(client, source.tenant(time.time()), path, source, **query)


async def ask_as(client: Client, tenant: Tenant, path: str, source: Source, **query: Any) -> httpx.Response:
    header = sign_tenant(tenant, SECRET)
    return await client.get(
        f"/monitoring/{path}", params={"deployment_id": str(source.deployment_id), **query}, headers={TENANT_HEADER: header}
    )


async def store_records(store: Store, source: Source, *records: RequestRecord) -> None:
    batch = source.batch(*records)
    await store.insert("request_log", request_columns(batch), batch.batch_id)


def around(start: datetime, length: timedelta) -> dict[str, str]:
    return {"from": start.isoformat(), "to": (start + length).isoformat()}


async def test_percentiles_are_numpys_within_the_error_of_a_t_digest(client: Client, store: Store, source: Source) -> None:
    batches, latencies = lognormal_batches(source, minutes=3, per_minute=4000)
    for batch in batches:
        await store.insert("request_log", request_columns(batch), batch.batch_id)
    summary = (await ask(client, "requests", source, **around(NOON, timedelta(minutes=3)))).json()
    assert [it["requests"] for it in summary["points"]] == [4000, 4000, 4000]
    for point, minute in zip([*summary["points"], summary["totals"]], [*latencies, latencies.ravel()], strict=True):
        shown = [point["p50_us"], point["p95_us"], point["p99_us"]]
        assert shown == pytest.approx(np.percentile(minute, [50, 95, 99]), rel=0.03)


async def test_errors_and_rows_are_counted_by_minute(client: Client, store: Store, source: Source) -> None:
    minute = 60_000_000
    calls = [(0, 200, 3), (0, 400, 1), (2 * minute, 503, 1), (2 * minute, 200, 5), (2 * minute, 499, 1)]
    await store_records(store, source, *(source.record(NOON_US + at, status=status, rows=rows) for at, status, rows in calls))
    summary = (await ask(client, "requests", source, **around(NOON, timedelta(hours=1)))).json()
    assert summary["step_s"] == 60
    seen = [(it["time"], it["requests"], it["errors"], it["server_errors"], it["rows"]) for it in summary["points"]]
    assert seen == [
        (NOON.strftime("%Y-%m-%dT%H:%M:%SZ"), 2, 1, 0, 4),
        ((NOON + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ"), 3, 2, 1, 7),
    ]
    totals = summary["totals"]
    assert (totals["requests"], totals["errors"], totals["server_errors"], totals["rows"]) == (5, 3, 1, 11)


async def test_a_call_made_just_now_is_in_the_last_hour(client: Client, store: Store, source: Source) -> None:
    await store_records(store, source, source.record(time.time_ns() // 1000))
    summary = (await ask(client, "requests", source)).json()
    assert summary["totals"]["requests"] == 1
    assert sum(it["requests"] for it in summary["points"]) == 1


async def test_a_range_without_calls_has_no_points_and_no_percentiles(client: Client, source: Source) -> None:
    summary = (await ask(client, "requests", source)).json()
    assert summary["points"] == []
    assert (summary["totals"]["requests"], summary["totals"]["p99_us"]) == (0, None)


async def test_the_range_includes_its_first_minute_and_not_its_last(client: Client, store: Store, source: Source) -> None:
    await store_records(store, source, source.record(NOON_US), source.record(NOON_US + 60_000_000))
    summary = (await ask(client, "requests", source, **around(NOON, timedelta(minutes=1)))).json()
    assert summary["totals"]["requests"] == 1


async def test_a_long_range_has_long_steps_that_sum_up(client: Client, store: Store, source: Source) -> None:
    await store_records(store, source, *(source.record(NOON_US + minute * 60_000_000) for minute in range(30)))
    summary = (await ask(client, "requests", source, **around(NOON - timedelta(days=80), timedelta(days=82)))).json()
    assert summary["step_s"] == 6 * 3600
    assert [it["requests"] for it in summary["points"]] == [30]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOON, NOON),
        (NOON, NOON - timedelta(hours=1)),
        (NOON - timedelta(days=401), NOON),
        ("0001-01-01T00:00:00Z", None),
        (None, "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
    ],
)
async def test_an_impossible_range_is_refused(client: Client, source: Source, start: Any, end: Any) -> None:
    query = {name: it if isinstance(it, str) else it.isoformat() for name, it in (("from", start), ("to", end)) if it}
    answer = await ask(client, "requests", source, **query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("query", [{"from": "yesterday"}, {"limit": "0"}, {"limit": "501"}, {"deployment_id": "none"}])
async def test_a_malformed_query_is_refused(client: Client, source: Source, query: dict[str, str]) -> None:
    path = "recent" if "limit" in query else "requests"
    assert (await ask(client, path, source, **query)).status_code == 422


async def test_lost_records_are_shown_in_the_totals(client: Client, store: Store, source: Source) -> None:
    start = NOON - timedelta(days=200)
    columns = pa.table({"time": pa.array([start], pa.timestamp("ms", "UTC")), "batch_id": [source.epoch], "lost": [17]})
    await store.insert("lost_records", columns, source.epoch)
    summary = (await ask(client, "requests", source, **around(start, timedelta(hours=1)))).json()
    assert summary["totals"]["lost"] == 17


async def test_recent_calls_are_newest_first_and_at_most_limit(client: Client, store: Store, source: Source) -> None:
    records = [source.record(NOON_US + i, total_us=i, status=400 if i == 9 else 200) for i in range(10)]
    await store_records(store, source, *records)
    items = (await ask(client, "recent", source, limit=3)).json()["items"]
    assert [it["total_us"] for it in items] == [9, 8, 7]
    assert items[0]["error_code"] == "ShapeMismatch"
    assert items[0]["request_id"].replace("-", "") == records[9].request_id.hex()
    assert items[0]["time"] == (NOON + timedelta(microseconds=9)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("foreign", ["organization_id", "project_id"])
async def test_another_tenant_sees_nothing(client: Client, store: Store, source: Source, foreign: str) -> None:
    await store_records(store, source, source.record(time.time_ns() // 1000))
    ids = {"organization_id": source.organization_id, "project_id": source.project_id, foreign: uuid4()}
    stranger = Tenant(**ids, issued_at=int(time.time()))
    assert (await ask_as(client, stranger, "requests", source)).json()["totals"]["requests"] == 0
    assert (await ask_as(client, stranger, "recent", source)).json()["items"] == []


async def test_a_tenant_in_the_query_is_not_believed(client: Client, store: Store, source: Source) -> None:
    await store_records(store, source, source.record(time.time_ns() // 1000))
    stranger = Tenant(uuid4(), uuid4(), int(time.time()))
    claim = {"organization_id": str(source.organization_id), "project_id": str(source.project_id)}
    assert (await ask_as(client, stranger, "recent", source, **claim)).json()["items"] == []


def expired(source: Source) -> str:
    return sign_tenant(source.tenant(time.time() - 61), SECRET)


def forged(source: Source) -> str:
    return sign_tenant(source.tenant(time.time()), "another secret, just as long")


def altered(source: Source) -> str:
    mine, theirs = sign_tenant(source.tenant(time.time()), SECRET), sign_tenant(Source().tenant(time.time()), SECRET)
    return theirs.partition(".")[0] + "." + mine.partition(".")[2]


def garbage(_: Source) -> str:
    return "no header at all"


@pytest.mark.parametrize("make_header", [expired, forged, altered, garbage])
@pytest.mark.parametrize("path", ["requests", "recent"])
async def test_a_wrong_tenant_header_is_401(client: Client, source: Source, path: str, make_header: Any) -> None:
    query = {"deployment_id": str(source.deployment_id)}
    answer = await client.get(f"/monitoring/{path}", params=query, headers={TENANT_HEADER: make_header(source)})
    assert answer.status_code == 401


async def test_no_tenant_header_is_401(client: Client, source: Source) -> None:
    assert (await client.get("/monitoring/recent", params={"deployment_id": str(source.deployment_id)})).status_code == 401


async def of_organization(client: Client, organization_id: UUID, path: str, **query: Any) -> httpx.Response:
    header = sign_tenant(Tenant(organization_id, None, int(time.time())), SECRET)
    return await client.get(f"/monitoring/{path}", params=query, headers={TENANT_HEADER: header})


async def test_an_organizations_requests_are_counted_by_day_and_by_project(client: Client, store: Store, source: Source) -> None:
    other = Source(organization_id=source.organization_id)
    now_us = time.time_ns() // 1000
    await store_records(store, source, source.record(NOON_US), source.record(NOON_US, status=500))
    await store_records(store, other, *(other.record(now_us) for _ in range(3)))
    await store_records(store, foreign := Source(), foreign.record(now_us))
    found = (await of_organization(client, source.organization_id, "organization")).json()
    assert [(it["requests"], it["errors"]) for it in found["days"]] == [(2, 1), (3, 0)]
    assert [it["day"][11:] for it in found["days"]] == ["00:00:00Z"] * 2
    assert found["projects"] == [
        {"project_id": str(other.project_id), "requests": 3, "errors": 0},
        {"project_id": str(source.project_id), "requests": 2, "errors": 1},
    ]
    today = (await of_organization(client, source.organization_id, "organization", days=1)).json()
    assert [it["requests"] for it in today["days"]] == [3]


async def test_requests_of_some_projects_are_counted_at_once(client: Client, store: Store, source: Source) -> None:
    other, foreign, now_us = Source(organization_id=source.organization_id), Source(), time.time_ns() // 1000
    for it in (source, other, foreign):
        await store_records(store, it, it.record(now_us, status=429), it.record(now_us - 2 * 86_400_000_000))
    asked = [str(source.project_id), str(foreign.project_id)]
    found = (await of_organization(client, source.organization_id, "projects", project_id=asked)).json()
    assert found["items"] == [{"project_id": str(source.project_id), "requests": 1, "errors": 1}]


async def test_what_is_signed_for_a_project_is_not_good_for_its_organization(client: Client, source: Source) -> None:
    for tenant, path in (
        (source.tenant(time.time()), "organization"),
        (Tenant(source.organization_id, None, int(time.time())), "requests"),
    ):
        assert (await ask_as(client, tenant, path, source)).status_code == 401


async def test_what_keys_did_is_told_of_a_project_and_of_its_organization(client: Client, store: Store, source: Source) -> None:
    other, now_us = Source(organization_id=source.organization_id), time.time_ns() // 1000
    await store_records(store, source, *(source.record(now_us - 10, status=it) for it in (200, 429, 500)), source.record(now_us))
    await store_records(store, other, other.record(now_us))
    [own] = (await ask(client, "keys", source)).json()["items"]
    assert (own["key_id"], own["requests"], own["errors"], own["refused"]) == (str(source.version_id), 4, 2, 1)
    assert datetime.fromisoformat(own["last_used_at"]) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us)
    everybodys = (await of_organization(client, source.organization_id, "organization/keys")).json()["items"]
    assert [it["key_id"] for it in everybodys] == [str(source.version_id), str(other.version_id)]


async def test_what_a_key_did_is_told_by_the_hour_or_by_the_day(client: Client, store: Store, source: Source) -> None:
    now_us = time.time_ns() // 1000
    await store_records(store, source, source.record(now_us), source.record(now_us, status=429))
    await store_records(store, source, source.record(now_us - 10 * 86_400_000_000))
    week = (await ask(client, f"keys/{source.version_id}", source, days=7)).json()
    assert (week["step_s"], [it["requests"] for it in week["points"]]) == (3600, [2])
    month = (await ask(client, f"keys/{source.version_id}", source, days=30)).json()
    assert (month["step_s"], [(it["requests"], it["refused"]) for it in month["points"]]) == (86400, [(1, 0), (2, 1)])
    assert (month["use"]["requests"], month["use"]["errors"]) == (3, 1)
    assert datetime.fromisoformat(month["to"]) - datetime.fromisoformat(month["from"]) == timedelta(days=30)
    nobody = (await ask(client, f"keys/{uuid4()}", source)).json()
    assert (nobody["points"], nobody["use"]) == ([], None)
