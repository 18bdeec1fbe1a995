"""One job from its claim to its end: part by part, each part's files stored and written down before the next begins.

So whoever takes the job over goes on behind the last finished part, and no row is lost or there twice.
"""

import asyncio
import hashlib
import logging
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from operator import attrgetter
from pathlib import Path
from typing import Final, TypeVar

import httpx
from msgspec import Struct

from contracts.artifacts import ArtifactStore, ArtifactUnavailable, open_store
from contracts.errors import HeadraceError
from control.background import running
from control.batch_jobs import progress
from control.batch_jobs.errors import JobStopped, LeaseLost
from control.batch_jobs.layout import Layout, lay_out
from control.batch_jobs.orders import RunOrder
from control.batch_jobs.predicting import AT_ONCE, TIMEOUT, Predictor
from control.batch_jobs.progress import PartFile, Work
from control.batch_jobs.reading import Source, open_source
from control.batch_jobs.rows import Block, JsonRows
from control.batch_jobs.telling import ProgressTeller
from control.batch_jobs.tensors import encode, pick
from control.batch_jobs.writing import Answers, Writer, failed_part, join_lines, name_outputs
from control.database import Connection, Database, DatabaseUnavailable, Pool
from control.registry import artifacts, service
from control.registry.errors import StoreUnavailable
from control.registry.schemas import ModelVersion

logger = logging.getLogger(__name__)

FIRST_PART_ROWS: Final = 64
PART_BYTES: Final = 8 << 20
"""What a part's files should have at most."""
PART_S: Final = 1.5
"""How long a part should take: what a crash costs, and how often people see progress."""
OUTAGE_S: Final = 600.0
"""How long database and store may be away."""
RETRY_S: Final = 2.0
RELEASE_BATCH: Final = 100

Result = TypeVar("Result")
Join = Callable[[Iterable[Path], Path], None]


class Outcome(Struct, frozen=True):
    """What became of the rows of a part, by their indices into it."""

    indices: list[int]
    """Of the rows with answers."""
    answers: Answers
    reasons: dict[int, str]
    """Why the others have none."""


class Task(Struct, frozen=True):
    """A job under way."""

    order: RunOrder
    database: Database
    store: ArtifactStore
    work: Work
    version: ModelVersion
    layout: Layout
    predictor: Predictor
    writer: Writer
    teller: ProgressTeller


async def run(order: RunOrder) -> None:
    """Run the job to its end, or until it is no longer ours; then it has no effect any more. Cancelled, it gives the job back."""
    pool = Pool(order.database_url, connections=2)
    await pool.open()
    database = pool.across_tenants
    try:
        await _run_to_end(order, database)
    except asyncio.CancelledError:
        await database.change(lambda it: progress.give_back(it, order.job_id, order.runner, is_attempt=False))
        raise
    except LeaseLost as error:
        logger.info("job %s: %s", order.job_id, error)
    except HeadraceError as error:
        await _fail(order, database, str(error))
    except MemoryError:
        await _fail(order, database, f"its rows need more than {order.memory_bytes >> 20} MiB of memory")
    finally:
        await pool.close()


async def _fail(order: RunOrder, database: Database, reason: str) -> None:
    logger.warning("job %s failed: %s", order.job_id, reason)
    await database.change(lambda it: progress.fail_job(it, order.job_id, order.runner, reason))


async def _run_to_end(order: RunOrder, database: Database) -> None:
    store = open_store(order.artifacts, order.s3_endpoint)
    work = await database.run(lambda it: progress.find_work(it, order.job_id, order.runner))
    if work.version is None:
        raise JobStopped("the model version is deleted")
    async with _owning(order, database):
        path = await _patiently(lambda: store.local_copy(work.digest, _cache(order)))
        source = await asyncio.to_thread(open_source, path, work.format)
        layout = lay_out(work.version.inputs, work.version.metadata, source.columns)
        outputs = name_outputs(work.version.outputs, work.version.metadata, source.columns, has_row_axis=layout.has_row_axis)
        limits = httpx.Limits(max_connections=AT_ONCE)
        trust = ssl.create_default_context()  # whom the machine trusts
        url = order.gateway_url
        async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT, limits=limits, trust_env=False, verify=trust) as gateway:
            predictor = Predictor(gateway, order.key, work.deployment_name, work.version.number, layout)
            writer = Writer(work.format, source, outputs)
            teller = ProgressTeller(work.place, order.job_id)
            task = Task(order, database, store, work, work.version, layout, predictor, writer, teller)
            await predictor.prepare(lambda: _check_served(task))
            await _run_parts(task, source)
        await _finish(task)


@asynccontextmanager
async def _owning(order: RunOrder, database: Database) -> AsyncGenerator[None]:
    """Keep the lease while the block runs. Raises LeaseLost in the block when that fails."""
    owner = asyncio.current_task()
    assert owner is not None
    lost: list[LeaseLost] = []

    async def extend() -> None:
        while not lost:
            await asyncio.sleep(progress.HEARTBEAT_S)
            try:
                await database.run(lambda it: progress.extend_lease(it, order.job_id, order.runner))
            except LeaseLost as error:
                lost.append(error)
                owner.cancel()
            except DatabaseUnavailable as error:
                logger.warning("job %s: no sign of life now: %s", order.job_id, error)

    try:
        async with running(extend()):
            yield
    except asyncio.CancelledError:
        if lost and not owner.uncancel():
            raise lost[0] from None
        raise


async def _run_parts(task: Task, source: Source) -> None:
    position = task.work.rows_done + task.work.rows_failed
    size = FIRST_PART_ROWS
    async for block in _in_thread(source.blocks(position)):
        start = 0
        while start < block.count:
            part = block.cut(start, min(start + size, block.count))
            began = time.monotonic()
            stored = await _run_part(task, position, part)
            size = _next_size(size, part.count, stored, time.monotonic() - began)
            start += part.count
            position += part.count


def _next_size(size: int, rows: int, stored_bytes: int, took_s: float) -> int:
    """Rows of the next part, given what those of this one came to."""
    fitting = rows * min(PART_BYTES / max(1, stored_bytes), PART_S / max(took_s, 1e-6))
    return max(1, min(int(fitting), size * 2))


async def _in_thread(blocks: Iterator[Block]) -> AsyncIterator[Block]:
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        yield block


async def _run_part(task: Task, position: int, part: Block) -> int:
    """Predict some rows, store what came of it, write it down; the answer is the bytes stored."""
    outcome = await _predict(task, part)
    contents = await asyncio.to_thread(_write, task.writer, part, outcome)
    done = len(outcome.indices)

    async def save(connection: Connection, files: list[PartFile]) -> None:
        job = task.order.job_id, task.order.runner
        await progress.save_part(connection, *job, position, done, part.count - done, files)
        await task.teller.tell(connection)

    paths: dict[str, Path] = {}
    for kind, content in contents.items():
        paths[kind] = Path(task.order.folder) / kind
        await asyncio.to_thread(paths[kind].write_bytes, content)
    await _keep(task, paths, save)
    return sum(map(len, contents.values()))


async def _predict(task: Task, part: Block) -> Outcome:
    """What becomes of some rows; asked once more if the deployment changed meanwhile."""
    inputs, reasons = await asyncio.to_thread(encode, part.rows, task.layout)
    if isinstance(part.rows, JsonRows):
        for index, row in enumerate(part.rows.objects):
            if (field := task.writer.collides(row)) is not None:
                reasons.setdefault(index, f"the field {field!r} has the name of one of the results' columns")
    good = [it for it in range(len(part.numbers)) if it not in reasons]
    inputs = {name: pick(it, good) for name, it in inputs.items()}
    while True:
        before = await _check_served(task)
        found = await task.predictor.predict(inputs, len(good), lambda: _check_served(task))
        if await _check_served(task) == before:
            break
    indices, answers = found.in_order()
    return Outcome([good[it] for it in indices], answers, reasons | {good[it]: why for it, why in found.reasons.items()})


def _write(writer: Writer, part: Block, outcome: Outcome) -> dict[str, bytes]:
    contents = {
        "results_part": writer.part(part.rows.take(outcome.indices), outcome.answers) if outcome.indices else b"",
        "failed_rows_part": failed_part(part.rows, part.numbers, outcome.reasons, part.broken),
    }
    return {kind: content for kind, content in contents.items() if content}


async def _check_served(task: Task) -> int:
    """The number of the deployment's revision. Raises JobStopped unless it serves the job's model version.

    Asked before and after the rows of a part: gateways hear of a change only after the database has it, so what was answered
    between two equal numbers was answered by this version.
    """
    work, version = task.work, task.version
    served = await _patiently(
        lambda: task.database.run(lambda it: progress.find_served(it, work.place.project_id, work.deployment_id))
    )
    if served is None:
        raise JobStopped(f"the deployment {work.deployment_name!r} was deleted")
    if served.version_id != version.id:
        raise JobStopped(
            f"the deployment {work.deployment_name!r} now serves {served.model_name!r} version {served.model_version}; this job "
            f"is for {version.model_name!r} version {version.number}. Deploy that again and resume the job, or make a new one"
        )
    return served.number


async def _finish(task: Task) -> None:
    """Make the whole of the parts, store it, and let go of the parts."""
    joins: dict[str, tuple[str, Join]] = {
        "results": ("results_part", task.writer.join),
        "failed_rows": ("failed_rows_part", join_lines),
    }
    paths: dict[str, Path] = {}
    for kind, (part_kind, join) in joins.items():
        parts = await _patiently(
            lambda kind=part_kind: task.database.run(lambda it: progress.list_parts(it, task.order.job_id, kind))
        )
        if parts:
            paths[kind] = Path(task.order.folder) / kind
            await asyncio.to_thread(join, _part_files(task, parts, asyncio.get_running_loop()), paths[kind])
    dropped: list[str] = []

    async def save(connection: Connection, files: list[PartFile]) -> None:
        dropped[:] = await progress.succeed(connection, task.order.job_id, task.order.runner, files)

    await _keep(task, paths, save)
    for start in range(0, len(dropped), RELEASE_BATCH):
        await service.release(task.database, task.store, dropped[start : start + RELEASE_BATCH])


def _part_files(task: Task, digests: list[str], loop: asyncio.AbstractEventLoop) -> Iterator[Path]:
    """The files of parts, one at a time on this machine; for another thread than the loop's."""
    cache = _cache(task.order)
    for digest in digests:
        path = asyncio.run_coroutine_threadsafe(_patiently(lambda it=digest: task.store.local_copy(it, cache)), loop).result()
        yield path
        if path.is_relative_to(cache):
            path.unlink()


async def _keep(task: Task, paths: dict[str, Path], save: Callable[[Connection, list[PartFile]], Awaitable[None]]) -> None:
    """Store the files and run `save` in the transaction that comes to hold them. Raises LeaseLost."""
    files = [await asyncio.to_thread(_measure, kind, path) for kind, path in paths.items()]

    async def attempt() -> None:
        try:
            for it in files:
                await service.store_file(task.database, task.store, paths[it.kind], it.digest)
            async with task.database.transaction() as connection:
                for it in sorted(files, key=attrgetter("digest")):
                    if not await artifacts.hold(connection, it.digest):
                        raise StoreUnavailable("the same file was deleted a moment ago")
                await save(connection, files)
        except BaseException:
            await service.release(task.database, task.store, [it.digest for it in files])
            raise

    await _patiently(attempt)


def _measure(kind: str, path: Path) -> PartFile:
    with path.open("rb") as file:
        return PartFile(kind, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


async def _patiently(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """The result of `attempt`, which is repeated while database or store are away, for up to `OUTAGE_S`."""
    deadline = time.monotonic() + OUTAGE_S
    while True:
        try:
            return await attempt()
        except (DatabaseUnavailable, StoreUnavailable, ArtifactUnavailable) as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("trying again: %s", error)
            await asyncio.sleep(RETRY_S)


def _cache(order: RunOrder) -> Path:
    return Path(order.folder) / "cache"
