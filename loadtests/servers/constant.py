"""The bare server: asyncio protocol, httptools, uvloop; answers a constant. What the machine can do with one core and HTTP."""

import asyncio
import sys
from typing import Final, cast

import httptools
import uvloop

ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 105\r\n\r\n"
    b'{"model_name":"tiny","outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[0.7071068,-1.4142]}]}'
)


class Constant(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(ANSWER)


async def serve(port: int) -> None:
    """Serve on loopback until killed."""
    server = await asyncio.get_running_loop().create_server(Constant, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
