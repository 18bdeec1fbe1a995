"""The audit log as a file: CSV for spreadsheets, JSON lines for programs."""

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, Literal

import msgspec

from control.audit.schemas import AuditEntry

ExportFormat = Literal["csv", "jsonl"]
MEDIA_TYPES: Final[dict[ExportFormat, str]] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
CHUNK_BYTES: Final = 1 << 16
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell instead of showing it."""


async def export(entries: AsyncIterator[AuditEntry], format: ExportFormat) -> AsyncGenerator[bytes]:
    """The file, by chunks of about `CHUNK_BYTES`; never empty, so that a CSV file of no entries has its header."""
    lines = csv_lines(entries) if format == "csv" else json_lines(entries)
    chunk = bytearray()
    async for line in lines:
        chunk += line
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)


async def json_lines(entries: AsyncIterator[AuditEntry]) -> AsyncGenerator[bytes]:
    """One entry a line, as the API shows it."""
    async for it in entries:
        yield msgspec.json.encode(it) + b"\n"


async def csv_lines(entries: AsyncIterator[AuditEntry]) -> AsyncGenerator[bytes]:
    """A header, then one entry a line; `before` and `after` are JSON."""
    yield csv_line(AuditEntry.__struct_fields__)
    async for it in entries:
        yield csv_line([_cell(value) for value in msgspec.structs.astuple(it)])


def csv_line(cells: Any) -> bytes:
    """One line of RFC 4180."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    text = str(msgspec.to_builtins(value))
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
