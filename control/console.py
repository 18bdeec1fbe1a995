"""The console's built files, and its start page for every address that the console's own router understands."""

import asyncio
from mimetypes import MimeTypes
from pathlib import Path
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import File

from contracts.errors import NotFound
from control.injected import Settings

ASSETS: Final = "assets/"
"""Where the build puts files with a hash in their names."""
FOREVER: Final = "public, max-age=31536000, immutable"
TYPES: Final = MimeTypes()
"""Python's own table: the machine's says other things on other machines."""


@get(["/", "/{path:path}"], include_in_schema=False)
async def get_console(settings: Settings, path: FromPath[str] = "") -> File:
    """A file of the console, or its start page."""
    name = path.lstrip("/")
    file = await asyncio.to_thread(find_file, settings.console_directory, name)
    if file is not None:
        return serve_file(file, FOREVER if name.startswith(ASSETS) else "no-cache")
    if name.startswith(ASSETS):
        raise NotFound(f"the console has no file {name}; reload the page")
    start_page = await asyncio.to_thread(find_file, settings.console_directory, "index.html")
    if start_page is None:
        raise NotFound(f"the console is not built: no index.html in {settings.console_directory}; run `make up`")
    return serve_file(start_page, "no-cache")


def serve_file(file: Path, cache_control: str) -> File:
    """The file with the type its name says: a browser that must not sniff runs no script of another type."""
    media_type, _ = TYPES.guess_type(file.name)
    headers = {"Cache-Control": cache_control}
    return File(file, content_disposition_type="inline", media_type=media_type, headers=headers)


def find_file(directory: Path, name: str) -> Path | None:
    """The file of that name within `directory`, never outside it."""
    root = directory.resolve()
    try:
        file = (root / name).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError):  # a name too long for the file system, or with a NUL in it
        return None


HANDLERS: Final[list[HTTPRouteHandler]] = [get_console]
