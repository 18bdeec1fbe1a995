"""A client that says exactly what a test wants said, byte by byte."""

import asyncio
import json
from typing import Any, Final, NamedTuple

PATIENCE_S: Final = 10.0


class Reply(NamedTuple):
    """One answer off the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The protocol's error text."""
        return self.json["error"]


class Wire:
    """One raw connection. Every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, *, has_body: bool = True) -> Reply:
        """The next answer."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
            length = int(headers.get("content-length", 0)) if has_body else 0
            return Reply(int(head[0].split()[1]), headers, await self.reader.readexactly(length))

    async def ask(self, data: bytes) -> Reply:
        """Send and wait for the answer."""
        await self.send(data)
        return await self.reply()

    async def is_closed(self) -> bool:
        """Wait until the server has closed its side; True if it said nothing more before."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read(1) == b""

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, OSError):
            return  # the server was faster


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST with its content-length."""
    lines = "".join(f"{it}\r\n" for it in headers)
    return f"POST {path} HTTP/1.1\r\nhost: test\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


def get(path: str, *headers: str) -> bytes:
    """A GET."""
    lines = "".join(f"{it}\r\n" for it in headers)
    return f"GET {path} HTTP/1.1\r\nhost: test\r\n{lines}\r\n".encode()
