"""A control plane and gateway as small as the client commands need: real HTTP, answers by a table."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]


@dataclass
class Fake:
    """`answers` maps `METHOD /path` to a status and a JSON value (or bytes); a list is given out one by one, its last
    for good."""

    answers: dict[str, Answer | list[Answer]]
    url: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    """Each call: `METHOD /path`, its token, its JSON body."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, call: str, token: str, body: Any) -> Answer:
        with self.lock:
            self.calls.append((call, token, body))
            found = self.answers.get(call, (404, {"detail": f"no {call}"}))
            if isinstance(found, list):
                return found.pop(0) if len(found) > 1 else found[0]
            return found

    def made(self, call: str) -> list[Any]:
        """The bodies of every such call."""
        return [body for name, _, body in self.calls if name == call]


@contextmanager
def serving(answers: dict[str, Answer | list[Answer]]) -> Generator[Fake]:
    """A Fake on a port of its own."""
    fake = Fake(answers)

    class Handler(BaseHTTPRequestHandler):
        def handle_call(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_json = self.headers.get("Content-Type") == "application/json"
            call = f"{self.command} {self.path.partition('?')[0]}"
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, body = fake.answer(call, token, json.loads(sent) if is_json else sent)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    for method in ("GET", "POST", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.handle_call)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
