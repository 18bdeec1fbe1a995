"""HTTP client of the control plane and the gateway, as the commands use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from headrace.errors import CommandFailed, Refused, Unreachable

TIMEOUT_S: Final = 30.0
UPLOAD_TIMEOUT_S: Final = 600.0
CHUNK_BYTES: Final = 1 << 20

Json = dict[str, Any]


class ApiClient:
    """Calls `api_url`; a refused call raises Refused with the server's reason, an unreachable server Unreachable."""

    def __init__(self, api_url: str, access_token: str = "") -> None:
        headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        try:
            self._http = httpx.Client(base_url=api_url, headers=headers, timeout=TIMEOUT_S, trust_env=False)
        except httpx.InvalidURL as error:
            raise Unreachable(f"{api_url!r} is not an address: {error}") from error

    def get(self, path: str, **query: Any) -> Json:
        """The JSON answer of GET `path`."""
        return self._call("GET", path, params=query)

    def post(self, path: str, body: Json) -> Json:
        """The JSON answer of POST `path`."""
        return self._call("POST", path, json=body)

    def patch(self, path: str, body: Json) -> Json:
        """The JSON answer of PATCH `path`."""
        return self._call("PATCH", path, json=body)

    def upload(self, path: str, file: Path, **query: Any) -> Json:
        """The JSON answer of POST `path` with `file` streamed as the body."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.stat().st_size)}
        query |= {"file_name": file.name}
        return self._call("POST", path, content=_chunks(file), headers=headers, params=query, timeout=UPLOAD_TIMEOUT_S)

    def download(self, path: str, target: Path) -> Path:
        """Write the answer of GET `path` to `target`, which appears whole or not at all."""
        partial = target.with_name(f"{target.name}.partial")
        try:
            with self._http.stream("GET", path) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _failure(answer)
                with partial.open("wb") as file:
                    for chunk in answer.iter_bytes(CHUNK_BYTES):
                        file.write(chunk)
            return partial.replace(target)
        except httpx.HTTPError as error:
            raise Unreachable(f"{self._http.base_url} does not answer: {error}") from error
        finally:
            partial.unlink(missing_ok=True)

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
        if answer.is_success and not answer.content:
            return {}
        body = _object(answer)
        if answer.is_success and body is not None:
            return body
        raise _failure(answer)


def _object(answer: httpx.Response) -> Json | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _failure(answer: httpx.Response) -> CommandFailed:
    body = _object(answer)
    reason = (body and (body.get("detail") or body.get("error"))) or _surprise(answer)
    return Refused(str(reason), answer.status_code) if answer.is_client_error else CommandFailed(str(reason))


def _surprise(answer: httpx.Response) -> str:
    return f"{answer.request.url.copy_with(query=None)} answered {answer.status_code}, not as Headrace would"


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
