"""What API keys did. Tenant first, a bounded time in each statement."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from contracts.monitoring import KeyHistory, KeyPoint, KeyUse
from contracts.tenancy import Tenant
from telemetry.monitoring.queries import from_microseconds
from telemetry.store import Store

MOST_KEYS: Final = 1000
HOUR_S: Final = 3600
DAY_S: Final = 86_400
MOST_HOURLY_DAYS: Final = 7

USE_OF_KEYS: Final[LiteralString] = """
    SELECT key_id, sum(requests) AS all_requests, sum(errors), sum(refused), toUnixTimestamp64Micro(max(last_used))
    FROM key_1h
    WHERE organization_id = {organization:UUID}
      AND ({project:Nullable(UUID)} IS NULL OR project_id = {project:Nullable(UUID)})
      AND hour >= {start:DateTime('UTC')}
    GROUP BY key_id
    ORDER BY all_requests DESC, key_id
    LIMIT {limit:UInt32}
"""

HISTORY_OF_KEY: Final[LiteralString] = """
    SELECT
        toUnixTimestamp(toStartOfInterval(hour, toIntervalSecond({step_s:UInt32}))) AS step,
        sum(requests), sum(errors), sum(refused), toUnixTimestamp64Micro(max(last_used))
    FROM key_1h
    WHERE organization_id = {organization:UUID}
      AND project_id = {project:UUID}
      AND key_id = {key:UUID}
      AND hour >= {start:DateTime('UTC')}
    GROUP BY step
    ORDER BY step
"""


async def list_uses(store: Store, tenant: Tenant, days: int, now: datetime) -> list[KeyUse]:
    """Of a project's keys, or of an organization's; the busiest `MOST_KEYS`."""
    parameters: dict[str, Any] = {
        "organization": tenant.organization_id,
        "project": tenant.project_id,
        "start": now - timedelta(days=days),
        "limit": MOST_KEYS,
    }
    comment = f"headrace: keys, organization {tenant.organization_id}"
    rows = await store.query(USE_OF_KEYS, parameters, comment)
    return [KeyUse(key, requests, errors, refused, from_microseconds(last)) for key, requests, errors, refused, last in rows]


async def tell_history(store: Store, tenant: Tenant, key_id: UUID, days: int, now: datetime) -> KeyHistory:
    """By the hour for a week at most, else by the day (UTC)."""
    step_s = HOUR_S if days <= MOST_HOURLY_DAYS else DAY_S
    end = datetime.fromtimestamp((now.timestamp() // step_s + 1) * step_s, UTC)
    start = end - timedelta(days=days)
    parameters: dict[str, Any] = {
        "organization": tenant.organization_id,
        "project": tenant.project_id,
        "key": key_id,
        "start": start,
        "step_s": step_s,
    }
    rows = await store.query(HISTORY_OF_KEY, parameters, f"headrace: key {key_id}")
    points = [KeyPoint(datetime.fromtimestamp(step, UTC), *counts) for step, *counts, _ in rows]
    return KeyHistory(start, end, step_s, points, _total(key_id, points, [last for *_, last in rows]))


def _total(key_id: UUID, points: list[KeyPoint], last_us: list[int]) -> KeyUse | None:
    if not points:
        return None
    return KeyUse(
        key_id,
        sum(it.requests for it in points),
        sum(it.errors for it in points),
        sum(it.refused for it in points),
        from_microseconds(max(last_us)),
    )
