"""What handlers need from outside the process, opened at start and closed at the end."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import httpx
from msgspec import Struct
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from contracts.artifacts import ArtifactStore, open_store
from contracts.settings import ControlSettings
from control.database import Pool
from control.deployments.trial import open_gateway
from control.events.feed import Feed
from control.identity.guesses import Guesses
from control.identity.passwords import Passwords
from control.identity.shared_failures import SharedFailures
from control.identity.throttle import Throttle
from control.mail.mailer import Mailer, open_mailer
from control.oidc.provider import Providers, open_providers
from control.registry.inspection import Inspector
from control.registry.service import Registry
from control.registry.slots import Slots
from control.registry.staging import open_staging

REDIS_TIMEOUT_S: Final = 2.0
TELEMETRY_TIMEOUT_S: Final = 15.0


class Resources(Struct, frozen=True):
    """Every one of them opens without its server and reconnects by itself."""

    settings: ControlSettings
    pool: Pool
    redis: Redis
    artifacts: ArtifactStore
    telemetry: httpx.AsyncClient
    """Speaks to the telemetry process; paths are relative to its root."""
    gateway: httpx.AsyncClient
    """Speaks to the inference API; paths are relative to its root."""
    registry: Registry
    batch_inputs: Slots
    """For looking into the input files of batch jobs."""
    passwords: Passwords
    throttle: Throttle
    guesses: Guesses
    """Failed logins on their way into the audit log."""
    feed: Feed
    """Tells open pages what changes."""
    mailer: Mailer
    providers: Providers
    """Of sign-ins by OpenID Connect."""


@asynccontextmanager
async def open_resources(settings: ControlSettings) -> AsyncGenerator[Resources]:
    """Yield the resources; nothing is contacted yet."""
    async with AsyncExitStack() as stack:
        pool = Pool(settings.database_url, settings.database_connections)
        await pool.open()
        stack.push_async_callback(pool.close)
        redis = open_redis(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        passwords = Passwords(settings.bcrypt_cost)
        stack.callback(passwords.close)
        artifacts = open_store(settings.artifacts_location(), settings.s3_endpoint)
        staging = stack.enter_context(open_staging(settings.data / "uploads"))
        inspector = Inspector(settings.inspect_memory_bytes, settings.inspect_timeout_s)
        guesses = Guesses()
        yield Resources(
            settings=settings,
            pool=pool,
            redis=redis,
            artifacts=artifacts,
            telemetry=await stack.enter_async_context(open_telemetry(settings.telemetry_url)),
            gateway=await stack.enter_async_context(open_gateway(settings.gateway_url or settings.inference_url)),
            registry=Registry(pool, artifacts, staging, inspector, settings.max_model_bytes),
            batch_inputs=Slots(),
            passwords=passwords,
            throttle=Throttle(SharedFailures(redis), guesses),
            guesses=guesses,
            feed=Feed(),
            mailer=open_mailer(settings.smtp_url, settings.mail_from, settings.data / "mail"),
            providers=await stack.enter_async_context(open_providers(settings.oidc)),
        )


def open_redis(url: str) -> Redis:
    """A client that fails within `REDIS_TIMEOUT_S` instead of retrying: the caller knows better what to do."""
    return Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S
    )


def open_telemetry(url: str) -> httpx.AsyncClient:
    """A client of the telemetry process at `http://host:port` or `unix:/path/to.sock`."""
    if url.startswith("unix:"):
        transport = httpx.AsyncHTTPTransport(uds=url.removeprefix("unix:"))
        return httpx.AsyncClient(transport=transport, base_url="http://telemetry", timeout=TELEMETRY_TIMEOUT_S)
    return httpx.AsyncClient(base_url=url, timeout=TELEMETRY_TIMEOUT_S, trust_env=False)
