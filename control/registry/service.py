"""Taking in a model file, and letting go of files that nothing holds any more.

No transaction is open while bytes come in, are inspected or go to the store.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from uuid import UUID

from msgspec import Struct

from contracts.artifacts import ArtifactStore, ArtifactUnavailable
from contracts.signature import Inspection
from control.audit.recording import Target, Who, record
from control.database import Database, DatabaseUnavailable, Pool
from control.registry import artifacts, queries
from control.registry.errors import StoreUnavailable, UploadTooLarge
from control.registry.inspection import Inspector
from control.registry.schemas import ModelVersion
from control.registry.staging import Staging

logger = logging.getLogger(__name__)

CLAIM_ATTEMPTS: Final = 5
CLAIM_PAUSE_S: Final = 0.2
"""Between attempts, while the same bytes are being deleted elsewhere."""


class Registry(Struct, frozen=True):
    """What taking in a file needs."""

    pool: Pool
    store: ArtifactStore
    staging: Staging
    inspector: Inspector
    max_model_bytes: int


class NewVersion(Struct, frozen=True):
    """A file that somebody sends, and the model it is for."""

    project_id: UUID
    model_id: UUID
    file_name: str
    who: Who
    announced_bytes: int | None
    """What the sender says the size is, if they say."""


async def add_version(registry: Registry, new: NewVersion, chunks: AsyncIterator[bytes]) -> ModelVersion:
    """Take in, inspect, store and list a file as the model's next version, or leave nothing of it behind.

    Raises ModelNotFound, UploadTooLarge, UploadIncomplete, UploadsBusy, StorageFull, VersionExists, ModelRefused,
    StoreUnavailable, or what `chunks` raises.
    """
    database, model = registry.pool.of(new.who.organization_id), (new.project_id, new.model_id)
    everywhere = registry.pool.across_tenants
    await database.run(lambda it: queries.check_model(it, *model))
    if new.announced_bytes is not None and new.announced_bytes > registry.max_model_bytes:
        raise UploadTooLarge(registry.max_model_bytes)
    async with registry.staging.receive(chunks, registry.max_model_bytes) as upload:
        await database.run(lambda it: queries.refuse_twin(it, *model, upload.digest))
        inspection = await registry.inspector.inspect(upload.path)
        await store_file(everywhere, registry.store, upload.path, upload.digest)
        try:
            number = await _insert(database, new, upload.digest, inspection)
        except BaseException:
            await release(everywhere, registry.store, [upload.digest])
            raise
    return await database.run(lambda it: queries.find_version(it, *model, number))


async def delete_model(pool: Pool, store: ArtifactStore, project_id: UUID, model_id: UUID, who: Who) -> None:
    """Delete a model, its versions, and those of their files that no other model holds.

    Raises ModelNotFound or ModelInUse.
    """
    async with pool.of(who.organization_id).transaction() as connection:
        model = await queries.find_model(connection, project_id, model_id)
        digests = await queries.delete_model(connection, project_id, model_id)
        gone = {"name": model.name, "description": model.description, "versions": model.versions}
        await record(connection, who, "model.delete", Target(model_id, model.name), before=gone)
    await release(pool.across_tenants, store, digests)


async def store_file(database: Database, store: ArtifactStore, path: Path, digest: str) -> None:
    """Store a file that something will come to hold; whoever inserts that must `artifacts.hold` it in the same transaction.

    Raises StoreUnavailable.
    """
    for _ in range(CLAIM_ATTEMPTS):
        if await database.run(lambda it: artifacts.claim(it, digest)):
            break
        await release(database, store, [digest])  # who was deleting it may have died: then this finishes it
        await asyncio.sleep(CLAIM_PAUSE_S)
    else:
        raise StoreUnavailable("the same file is being deleted at this moment; try again")
    try:
        await store.put(path, digest)
    except ArtifactUnavailable as error:
        raise StoreUnavailable("the artifact store did not take the file; try again", retry_after_s=10) from error


async def release(database: Database, store: ArtifactStore, digests: list[str]) -> None:
    """Delete the files of those `digests` that nothing holds in any organization. What fails now, the sweep does later."""
    try:
        async with database.transaction() as connection:
            doomed = await artifacts.doom(connection, digests)
        await artifacts.delete_doomed(database, store, doomed)
    except (ArtifactUnavailable, DatabaseUnavailable, TimeoutError) as error:
        logger.warning("deleted files stay in the store until the next sweep: %s", error)


async def _insert(database: Database, new: NewVersion, digest: str, inspection: Inspection) -> int:
    async with database.transaction() as connection:
        if not await artifacts.hold(connection, digest):
            raise StoreUnavailable("the same file was deleted a moment ago; try again")
        number = await queries.insert_version(
            connection, new.project_id, new.model_id, new.file_name, digest, inspection, new.who.user_id
        )
        made = await queries.find_version(connection, new.project_id, new.model_id, number)
        what = {"number": number, "file_name": made.file_name, "digest": digest, "size_bytes": made.size_bytes}
        await record(connection, new.who, "version.create", Target(made.id, f"{made.model_name} v{number}"), after=what)
        return number
