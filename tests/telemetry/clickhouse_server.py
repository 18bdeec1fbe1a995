"""`python -m tests.telemetry.clickhouse_server DIRECTORY PORT`: ClickHouse's HTTP interface over the embedded engine.

No ClickHouse server can be installed from a Python package, so the tests of `HEADRACE_CLICKHOUSE_URL` put the protocol, as far
as clickhouse-connect uses it, in front of the same engine. The user is `headrace`, the password `a password`.
"""

import base64
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.services import wait_until

CREDENTIALS = "Basic " + base64.b64encode(b"headrace:a password").decode()
TRANSPORT = {"query", "database", "query_id", "wait_end_of_query", "client_protocol_version", "send_progress_in_http_headers"}


class Handler(BaseHTTPRequestHandler):
    """One statement a request: in the body, or in the URL with the body as the data to insert."""

    protocol_version = "HTTP/1.1"
    connection_to_engine: Any
    lock = Lock()

    def do_POST(self) -> None:
        arguments = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._sized()
        if self.headers.get("Authorization") != CREDENTIALS:
            return self._answer(403, b"Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)", 516)
        settings = {name: it for name, it in arguments.items() if name not in TRANSPORT and not name.startswith("param_")}
        parameters = {name.removeprefix("param_"): it for name, it in arguments.items() if name.startswith("param_")}
        try:
            with self.lock:
                self._answer(200, self._run(arguments.get("query"), body, settings, parameters))
        except RuntimeError as error:
            message = str(error)
            self._answer(500, message.encode(), int(message.partition("Code: ")[2].partition(".")[0] or 0))

    def _sized(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _run(self, statement: str | None, body: bytes, settings: dict[str, str], parameters: dict[str, str]) -> bytes:
        for name, value in settings.items():
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            self.connection_to_engine.query(f"SET {name} = '{quoted}'")
        if statement is None and not body.startswith(b"INSERT"):
            return self.connection_to_engine.query(body.decode(), "TabSeparated", params=parameters).bytes() or b""
        if statement is None:
            text, _, body = body.partition(b"\n")
            statement = text.decode()
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            head, _, form = statement.rpartition(" FORMAT ")
            self.connection_to_engine.query(f"{head} FROM INFILE '{file.name}' FORMAT {form}")
        return b""

    def _answer(self, status: int, body: bytes, code: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if code is not None:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests read what telemetry logs."""


def listens(port: int) -> bool:
    """Whether a server accepts connections on `port`."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def clickhouse_server(directory: Path, port: int) -> Generator[None]:
    """A server over the data in `directory`, killed at the end."""
    process = subprocess.Popen([sys.executable, "-m", "tests.telemetry.clickhouse_server", str(directory), str(port)])
    try:
        wait_until(lambda: listens(port), "the ClickHouse server")
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    import chdb  # here, because the tests that import this module for its functions must not load a second engine

    Handler.connection_to_engine = chdb.connect(str(Path(sys.argv[1])))
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
