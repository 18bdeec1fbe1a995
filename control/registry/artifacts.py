"""Which stored files are in use, and the deletion of those that are not.

Files are content-addressed and shared: two models or batch jobs, in two projects, may hold the same one (the view
`held_artifacts` says who). Deleting one must never take away bytes that an upload of the same file is about to rely on, yet
neither may hold a transaction open while the store is busy. So:

* an upload claims the digest before it stores the file, and inserts what holds it only while the digest is not doomed;
* a deletion dooms digests that nothing holds, commits, deletes the files, and only then forgets the digests.

Who dooms a digest is the only one to delete its file, for `LEASE`. What a crash or an outage leaves behind (a doomed digest, a
file that nothing came to hold) `sweep` finds and finishes, or the next upload of the same file.
"""

import asyncio
from datetime import timedelta
from typing import Final, LiteralString

from contracts.artifacts import ArtifactStore
from control.database import Connection, Database

ABANDONED_AFTER: Final = timedelta(days=1)
"""A claim this old belongs to no upload under way."""
SWEEP_BATCH: Final = 100
LEASE: Final = timedelta(minutes=1)
DELETE_TIMEOUT_S: Final = LEASE.total_seconds() / 2

CLAIM: Final[LiteralString] = """
    INSERT INTO artifacts (digest)
    VALUES ($1)
    ON CONFLICT (digest) DO UPDATE
    SET claimed_at = now()
    WHERE artifacts.doomed_at IS NULL
    RETURNING digest
"""


async def claim(connection: Connection, digest: str) -> bool:
    """Announce that something that holds `digest` is to come; False while the file is being deleted."""
    return await connection.fetchval(CLAIM, digest) is not None


HOLD: Final[LiteralString] = """
    SELECT digest
    FROM artifacts
    WHERE digest = $1
      AND doomed_at IS NULL
    FOR SHARE
"""


async def hold(connection: Connection, digest: str) -> bool:
    """Keep `digest` from being doomed until the end of the transaction; False if it is too late."""
    return await connection.fetchval(HOLD, digest) is not None


LOCK: Final[LiteralString] = """
    SELECT digest
    FROM artifacts
    WHERE digest = ANY($1)
    ORDER BY digest
    FOR UPDATE
"""
DOOM: Final[LiteralString] = """
    UPDATE artifacts
    SET doomed_at = now()
    WHERE digest = ANY($1)
      AND (doomed_at IS NULL OR doomed_at < now() - $2::interval)
      AND NOT EXISTS (SELECT FROM held_artifacts WHERE held_artifacts.digest = artifacts.digest)
    RETURNING digest
"""


async def doom(connection: Connection, digests: list[str]) -> list[str]:
    """Mark those of `digests` that nothing holds; the answer is these, and the caller must delete them.

    Locks first, in a statement of its own: the second one then sees everything that whoever held a lock has inserted.
    """
    await connection.fetch(LOCK, digests)
    return [it["digest"] for it in await connection.fetch(DOOM, digests, LEASE)]


FORGET: Final[LiteralString] = """
    DELETE FROM artifacts
    WHERE digest = ANY($1)
      AND doomed_at IS NOT NULL
"""


async def delete_doomed(database: Database, store: ArtifactStore, digests: list[str]) -> None:
    """Delete the files of digests that the caller doomed, then forget them.

    Raises ArtifactUnavailable, or TimeoutError before the lease is over; `sweep` tries again later.
    """
    async with asyncio.timeout(DELETE_TIMEOUT_S):
        for digest in digests:
            await store.delete(digest)
    await database.run(lambda connection: connection.execute(FORGET, digests))


LIST_LEFTOVERS: Final[LiteralString] = """
    SELECT digest
    FROM artifacts
    WHERE (doomed_at < now() - $3::interval OR (doomed_at IS NULL AND claimed_at < now() - $1::interval))
      AND NOT EXISTS (SELECT FROM held_artifacts WHERE held_artifacts.digest = artifacts.digest)
    LIMIT $2
"""


async def sweep(database: Database, store: ArtifactStore, abandoned_after: timedelta = ABANDONED_AFTER) -> int:
    """Finish what crashes and outages left undone; the answer is the number of files deleted, `SWEEP_BATCH` at most."""
    async with database.transaction() as connection:
        rows = await connection.fetch(LIST_LEFTOVERS, abandoned_after, SWEEP_BATCH, LEASE)
        doomed = await doom(connection, [it["digest"] for it in rows])
    await delete_doomed(database, store, doomed)
    return len(doomed)
