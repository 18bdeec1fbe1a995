"""Which stored files are in use, and the deletion of those that are not.

Files are content-addressed and shared: two models, in two projects, may hold the same one. Deleting one must never take away
bytes that an upload of the same file is about to rely on, yet neither may hold a transaction open while the store is busy. So:

* an upload claims the digest before it stores the file, and inserts its version only while the digest is not doomed;
* a deletion dooms digests that no version holds, commits, deletes the files, and only then forgets the digests.

What a crash leaves behind (a doomed digest, a file that no version came to hold) `sweep` finds and finishes.
"""

from datetime import timedelta
from typing import Final, LiteralString

from contracts.artifacts import ArtifactStore
from control.database import Connection, Database

ABANDONED_AFTER: Final = timedelta(days=1)
"""A claim this old belongs to no upload under way."""
SWEEP_BATCH: Final = 100

CLAIM: Final[LiteralString] = """
    INSERT INTO artifacts (digest)
    VALUES ($1)
    ON CONFLICT (digest) DO UPDATE
    SET claimed_at = now()
    WHERE artifacts.doomed_at IS NULL
    RETURNING digest
"""


async def claim(connection: Connection, digest: str) -> bool:
    """Announce that a version of `digest` is to come; False while the file is being deleted."""
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
      AND NOT EXISTS (SELECT FROM model_versions WHERE model_versions.digest = artifacts.digest)
    RETURNING digest
"""


async def doom(connection: Connection, digests: list[str]) -> list[str]:
    """Mark those of `digests` that no version holds; the answer is these.

    Locks first, in a statement of its own: the second one then sees every version that whoever held a lock has inserted.
    """
    await connection.fetch(LOCK, digests)
    return [it["digest"] for it in await connection.fetch(DOOM, digests)]


FORGET: Final[LiteralString] = """
    DELETE FROM artifacts
    WHERE digest = ANY($1)
      AND doomed_at IS NOT NULL
"""


async def delete_doomed(database: Database, store: ArtifactStore, digests: list[str]) -> None:
    """Delete the files of doomed digests, then forget them. Raises ArtifactUnavailable; `sweep` tries again later."""
    for digest in digests:
        await store.delete(digest)
    await database.run(lambda connection: connection.execute(FORGET, digests))


LIST_LEFTOVERS: Final[LiteralString] = """
    SELECT digest
    FROM artifacts
    WHERE (doomed_at IS NOT NULL OR claimed_at < now() - $1::interval)
      AND NOT EXISTS (SELECT FROM model_versions WHERE model_versions.digest = artifacts.digest)
    LIMIT $2
"""


async def sweep(database: Database, store: ArtifactStore, abandoned_after: timedelta = ABANDONED_AFTER) -> int:
    """Finish what crashes and outages left undone; the answer is the number of files deleted, `SWEEP_BATCH` at most."""
    async with database.transaction() as connection:
        rows = await connection.fetch(LIST_LEFTOVERS, abandoned_after, SWEEP_BATCH)
        doomed = await doom(connection, [it["digest"] for it in rows])
    await delete_doomed(database, store, doomed)
    return len(doomed)
