"""A small HTTP server in the place of telemetry or the gateway: it records what control sends and says what it is told."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct


class Heard(Struct, frozen=True):
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Server(Struct):
    """What it was asked, and what it answers; a rude one hangs up instead."""

    port: int = 0
    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    is_rude: bool = False
    heard: list[Heard] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (it.split(": ", 1) for it in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.heard.append(Heard(first.split()[0], first.split()[1], headers, body))
            if not self.is_rude:
                framing = {"Content-Type": self.content_type, "Content-Length": len(self.body), "Connection": "close"}
                lines = "".join(f"{name}: {value}\r\n" for name, value in (framing | self.headers).items())
                writer.write(f"HTTP/1.1 {self.status} Status\r\n{lines}\r\n".encode() + self.body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def on_socket(path: Path) -> AsyncGenerator[Server]:
    """Listens on a Unix socket."""
    said = Server()
    async with await asyncio.start_unix_server(said.answer, path):
        yield said


@asynccontextmanager
async def on_port() -> AsyncGenerator[Server]:
    """Listens on a free port of loopback."""
    said = Server()
    async with await asyncio.start_server(said.answer, "127.0.0.1", 0) as server:
        said.port = server.sockets[0].getsockname()[1]
        yield said
