"""HTTP client of the control plane and the gateway, as the commands use it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from msgspec import Struct

from headrace.errors import CommandFailed, Refused, Unreachable

TIMEOUT_S: Final = 30.0
UPLOAD_TIMEOUT_S: Final = 600.0
CHUNK_BYTES: Final = 1 << 20

Json = dict[str, Any]


class KeptSession(Struct, kw_only=True):
    """What `signup` and `login` keep in the data directory, readable by its owner alone."""

    api_url: str
    email: str
    access_token: str
    refresh_token: str
    organization_id: str
    project_id: str
    api_key: str = ""

    @staticmethod
    def load(path: Path) -> "KeptSession":
        """Raises CommandFailed if nobody is signed in."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=KeptSession)
        except FileNotFoundError as error:
            raise CommandFailed("nobody is signed in here; run `headrace signup` or `headrace login` first") from error

    def keep(self, path: Path) -> None:
        """Write to `path`, mode 0600."""
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.encode(self))


class ApiClient:
    """Calls `api_url`; a refused call raises Refused with the server's reason, an unreachable server Unreachable."""

    def __init__(self, api_url: str, access_token: str = "") -> None:
        headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        self._http = httpx.Client(base_url=api_url, headers=headers, timeout=TIMEOUT_S, trust_env=False)

    def get(self, path: str, **query: Any) -> Json:
        """The JSON answer of GET `path`."""
        return self._call("GET", path, params=query)

    def post(self, path: str, body: Json) -> Json:
        """The JSON answer of POST `path`."""
        return self._call("POST", path, json=body)

    def patch(self, path: str, body: Json) -> Json:
        """The JSON answer of PATCH `path`."""
        return self._call("PATCH", path, json=body)

    def upload(self, path: str, file: Path) -> Json:
        """The JSON answer of POST `path` with `file` streamed as the body."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}
        query = {"file_name": file.name}
        return self._call("POST", path, content=_chunks(file), headers=headers, params=query, timeout=UPLOAD_TIMEOUT_S)

    def items(self, path: str) -> Iterator[Json]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            if (cursor := page["next_cursor"]) is None:
                return

    def _call(self, method: str, path: str, **options: Any) -> Json:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise Unreachable(f"{self._http.base_url} does not answer: {error}") from error
        if answer.is_success:
            return answer.json() if answer.content else {}
        if answer.is_client_error:
            raise Refused(_reason(answer))
        raise CommandFailed(_reason(answer))


def _reason(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except json.JSONDecodeError:
        return f"{answer.request.url} answered {answer.status_code}"
    return str(body.get("detail") or body.get("error") or body)


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
