"""The state of what control depends on. The database is needed; the rest is reported."""

import asyncio
from collections.abc import Awaitable
from typing import Final

import httpx
from redis.exceptions import RedisError

from contracts.errors import HeadraceError
from control.resources import Resources
from control.schema_version import find_schema
from control.system.schemas import Dependency, Readiness

CHECK_TIMEOUT_S: Final = 1.0


async def check_readiness(resources: Resources) -> Readiness:
    """Ask every dependency at once; takes `CHECK_TIMEOUT_S` at most."""
    checks = {
        "database": _check_database(resources),
        "redis": _check_redis(resources),
        "telemetry": _check_telemetry(resources),
        "artifacts": resources.artifacts.check(),
    }
    states = await asyncio.gather(*(_bounded(check) for check in checks.values()))
    dependencies = dict(zip(checks, states, strict=True))
    return Readiness("ready" if dependencies["database"].state == "up" else "not ready", dependencies)


async def _bounded(check: Awaitable[None]) -> Dependency:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check
    except TimeoutError:
        return Dependency("down", f"no answer within {CHECK_TIMEOUT_S:g} s")
    except (HeadraceError, RedisError, httpx.HTTPError, OSError) as error:
        return Dependency("down", str(error) or type(error).__name__)
    return Dependency("up")


async def _check_database(resources: Resources) -> None:
    schema = await resources.pool.across_tenants.run(find_schema)
    schema.check()
    if schema.found != schema.wanted:
        raise HeadraceError(f"the schema is at {schema.found or 'nothing'}, not {schema.wanted}: run `headrace migrate`")


async def _check_redis(resources: Resources) -> None:
    await resources.redis.ping()


async def _check_telemetry(resources: Resources) -> None:
    (await resources.telemetry.get("/health/live")).raise_for_status()
