"""What goes on in the background: what people stopped wanting is removed for good, and what follows the settings is renewed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
from redis.exceptions import RedisError

from contracts.artifacts import ArtifactUnavailable
from control.database import DatabaseUnavailable
from control.keys.console_keys import renew_console_keys
from control.organizations import deleting
from control.organizations.settings import publish_retentions
from control.projects import removing
from control.registry import artifacts
from control.resources import Resources

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 600.0
FAILURES: Final = (ArtifactUnavailable, DatabaseUnavailable, RedisError, asyncpg.PostgresError, TimeoutError, OSError)


async def sweep_forever(resources: Resources) -> None:
    """Sweep everything at start and every `INTERVAL_S`; several processes may."""
    database = resources.pool.across_tenants
    while True:
        await sweep("deleted projects", lambda: removing.sweep(database))
        await sweep("deleted organizations", lambda: deleting.sweep(database))
        await sweep("files that nothing holds", lambda: artifacts.sweep(database, resources.artifacts))
        await sweep("console keys of a former secret", lambda: renew_console_keys(database, resources.settings.secret))
        await sweep("requests of removed projects", lambda: removing.publish_removed(database, resources.redis))
        await sweep("requests past their time", lambda: publish_retentions(database, resources.redis))
        await asyncio.sleep(INTERVAL_S)


async def sweep(what: str, some: Callable[[], Awaitable[object]]) -> None:
    """Do `some` until there are no more; what fails now is done the next time."""
    try:
        while await some():
            continue
    except FAILURES as error:
        logger.warning("%s must wait: %s", what, error)
