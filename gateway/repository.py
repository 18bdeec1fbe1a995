"""The model repository extension at the gateway: what a project has deployed, and unloading it or loading it again.

What is unloaded stays deployed, but takes no memory and answers 503 until it is loaded again.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from contracts.errors import HeadraceError
from contracts.workers import RevisionState
from gateway.endpoints import Endpoint, Placement
from gateway.inference import NotServing
from gateway.routing import REPOSITORY as SCOPE
from gateway.routing import Caller
from gateway.unloaded import Unloaded
from serving.application import allow, refuse
from serving.buffers import as_text
from serving.http import Exchange
from serving.repository import INDEX, ModelState, State, Verb, read_change, read_index, render_index

logger = logging.getLogger(__name__)

LOAD_TIMEOUT_S: Final = 60.0
"""How long a load is waited for; it goes on after that."""
STATES: Final[dict[RevisionState, State]] = {
    RevisionState.READY: "READY",
    RevisionState.LOADING: "LOADING",
    RevisionState.FAILED: "UNAVAILABLE",
    RevisionState.UNLOADED: "UNAVAILABLE",
}


class Repository:
    """Answers for one worker; tell it by `changed` whenever a revision's state has changed."""

    def __init__(self, unloaded: Unloaded) -> None:
        self._unloaded = unloaded
        self._changing: set[asyncio.Task[None]] = set()
        self._change = asyncio.Event()

    def changed(self) -> None:
        """Have whoever waits for a load look again."""
        self._change.set()
        self._change = asyncio.Event()

    def answer(self, exchange: Exchange, caller: Caller, path: str) -> None:
        """Answer a path of the repository, now or later. Raises HeadraceError."""
        caller.demand(SCOPE)
        if not allow(exchange, b"POST"):
            return
        if path == INDEX:
            exchange.respond(200, render_index(index(caller), read_index(as_text(exchange.body))))
            return
        name, verb = read_change(path, as_text(exchange.body))
        task = asyncio.create_task(self._answer_change(exchange, caller, name, verb), name=f"{verb} {name}")
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)

    async def change(self, caller: Caller, name: str, verb: Verb) -> None:
        """Load or unload a deployment of the caller's project everywhere; returns when that is done here.

        Raises ScopeMissing, DeploymentNotFound, NotShared, or NotServing if it does not load.
        """
        caller.demand(SCOPE)
        endpoint = caller.known(name)
        if not endpoint.wanted:
            raise NotServing(f"deployment {name!r} has no revision")
        await self._unloaded.put(endpoint.wanted[0].deployment.deployment_id, is_unloaded=verb == "unload")
        if verb == "load":
            await self._loaded(endpoint)

    async def _answer_change(self, exchange: Exchange, caller: Caller, name: str, verb: Verb) -> None:
        try:
            await self.change(caller, name, verb)
        except HeadraceError as error:
            refuse(exchange, error)
        except Exception:
            logger.exception("answering %s failed", exchange.target)
            exchange.refuse(500, "internal error")
        else:
            exchange.respond(200)

    async def _loaded(self, endpoint: Endpoint) -> None:
        """Return when all of the endpoint's revisions are READY here. Raises NotServing."""
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                while any(it.state is RevisionState.LOADING for it in endpoint.wanted):
                    await self._change.wait()
        except TimeoutError as error:
            raise NotServing(f"still loading after {LOAD_TIMEOUT_S:g} s; ask the index how far it is") from error
        for placement in endpoint.wanted:
            if placement.state is not RevisionState.READY:
                raise NotServing(placement.why_not_serving())


def index(caller: Caller) -> Iterable[ModelState]:
    """What the caller's project has deployed, version by version."""
    for name, endpoint in caller.deployments.items():
        versions: dict[int, Placement] = {}
        for it in endpoint.placements():
            known = versions.setdefault(it.revision.version, it)
            if known.model is None:  # of two revisions with one version the one that serves counts
                versions[it.revision.version] = it
        yield from (ModelState(name, str(version), STATES[it.state], it.error) for version, it in versions.items())
