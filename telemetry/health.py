"""Liveness, readiness and Prometheus metrics; open to whoever reaches the socket, as none of it belongs to a tenant."""

import asyncio
from collections.abc import Awaitable
from typing import Final

import redis.asyncio
from litestar import Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from contracts.errors import HeadraceError
from telemetry.backlog import look_at_backlog
from telemetry.errors import StoreUnavailable
from telemetry.injected import Metrics, Redis, Store

CHECK_TIMEOUT_S: Final = 1.0


class Liveness(Struct, frozen=True):
    """The process answers."""

    status: str


class Dependency(Struct, frozen=True):
    """`state` is `up` or `down`; `detail` says why it is down."""

    state: str
    detail: str = ""


class Readiness(Struct, frozen=True):
    """`status` is `ready` if every dependency is up, otherwise `not ready`."""

    status: str
    dependencies: dict[str, Dependency]


@get("/health/live", operation_id="getLiveness")
async def get_liveness() -> Liveness:
    """Whether the process answers at all."""
    return Liveness("live")


@get("/health/ready", operation_id="getReadiness")
async def get_readiness(store: Store, redis: Redis) -> Response[Readiness]:
    """Whether the dependencies answer; 503 if one does not."""
    states = await asyncio.gather(_check(store.check()), _check(_answered(redis)))
    is_ready = all(it.state == "up" for it in states)
    return Response(
        Readiness("ready" if is_ready else "not ready", dict(zip(("clickhouse", "redis"), states, strict=True))),
        status_code=HTTP_200_OK if is_ready else HTTP_503_SERVICE_UNAVAILABLE,
    )


@get("/metrics", operation_id="getMetrics")
async def get_metrics(metrics: Metrics, redis: Redis) -> Response[bytes]:
    """Prometheus text."""
    await look_at_backlog(redis, metrics)
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _check(call: Awaitable[None]) -> Dependency:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await call
    except TimeoutError:
        return Dependency("down", f"no answer within {CHECK_TIMEOUT_S:g} s")
    except StoreUnavailable as error:
        return Dependency("down", error.reason)
    except (HeadraceError, RedisError, OSError) as error:
        return Dependency("down", str(error))
    return Dependency("up")


async def _answered(client: redis.asyncio.Redis) -> None:
    await client.execute_command("PING")
