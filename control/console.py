"""The console's built files, and its start page for every address that the console's own router understands."""

import asyncio
import base64
import hashlib
import re
from mimetypes import MimeTypes
from pathlib import Path
from typing import Final

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import File

from contracts.errors import NotFound
from control.headers import CONTENT_SECURITY_POLICY
from control.injected import Settings

ASSETS: Final = "assets/"
"""Where the build puts files with a hash in their names."""
FOREVER: Final = "public, max-age=31536000, immutable"
TYPES: Final = MimeTypes()
"""Python's own table: the machine's says other things on other machines."""
INLINE_SCRIPT: Final = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


@get(["/", "/{path:path}"], include_in_schema=False)
async def get_console(settings: Settings, path: FromPath[str] = "") -> File | Response[bytes]:
    """A file of the console, or its start page."""
    name = path.lstrip("/")
    file = await asyncio.to_thread(find_file, settings.console_directory, name)
    if file is not None:
        return serve_file(file, FOREVER if name.startswith(ASSETS) else "no-cache")
    if name.startswith(ASSETS):
        raise NotFound(f"the console has no file {name}; reload the page")
    return await asyncio.to_thread(start_page, settings.console_directory)


def serve_file(file: Path, cache_control: str) -> File:
    """The file with the type its name says: a browser that must not sniff runs no script of another type."""
    media_type, _ = TYPES.guess_type(file.name)
    headers = {"Cache-Control": cache_control}
    return File(file, content_disposition_type="inline", media_type=media_type, headers=headers)


def find_file(directory: Path, name: str) -> Path | None:
    """The file of that name within `directory` (never outside it); the start page is not given out this way."""
    root = directory.resolve()
    try:
        file = (root / name).resolve()
        return file if file.is_relative_to(root) and file.is_file() and file != root / "index.html" else None
    except (OSError, ValueError):  # a name too long for the file system, or with a NUL in it
        return None


def start_page(directory: Path) -> Response[bytes]:
    """index.html, with a policy that allows exactly the inline scripts it holds. Raises NotFound if it was never built."""
    try:
        page = (directory / "index.html").read_bytes()
    except OSError as error:
        raise NotFound(f"the console is not built: no index.html in {directory}; run `make up`") from error
    digests = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in INLINE_SCRIPT.findall(page))
    policy = CONTENT_SECURITY_POLICY.format(scripts="".join(f" 'sha256-{digest}'" for digest in digests))
    return Response(page, media_type=MediaType.HTML, headers={"Cache-Control": "no-cache", "Content-Security-Policy": policy})


HANDLERS: Final[list[HTTPRouteHandler]] = [get_console]
