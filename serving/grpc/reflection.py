"""Server reflection, with which tools like grpcurl find out what there is to call."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

from serving.grpc.messages import POOL, SERVICE

NAMES: Final = (SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)


class Reflection:
    """Of our descriptors. Tools keep their stream open as long as they run; a server that leaves does not wait for them."""

    def __init__(self) -> None:
        self._servicer: Any = reflection.aio.ReflectionServicer(NAMES, POOL)
        self._ending = asyncio.Event()

    async def ServerReflectionInfo(self, questions: AsyncIterator[Any], context: Any) -> AsyncGenerator[Any]:  # noqa: N802
        """Answers until there are no more questions."""
        async for answer in self._servicer.ServerReflectionInfo(self._until_end(questions), context):
            yield answer

    def end(self) -> None:
        """Take no more questions."""
        self._ending.set()

    async def _until_end(self, questions: AsyncIterator[Any]) -> AsyncGenerator[Any]:
        ending = asyncio.create_task(self._ending.wait())
        question: asyncio.Future[Any] | None = None
        try:
            while not ending.done():
                question = asyncio.ensure_future(anext(questions, None))
                await asyncio.wait((question, ending), return_when=asyncio.FIRST_COMPLETED)
                if not question.done() or question.result() is None:
                    return
                yield question.result()
        finally:
            ending.cancel()
            if question is not None:
                question.cancel()
