"""The file formats of batch jobs."""

from pathlib import PurePath
from typing import Final, Literal

from control.batch_jobs.errors import InputRefused

Format = Literal["csv", "jsonl", "parquet"]

FORMATS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""By the ending of the file's name."""
MEDIA_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def format_of(file_name: str) -> Format:
    """Raises InputRefused if the name does not tell."""
    suffix = PurePath(file_name).suffix.lower()
    if suffix not in FORMATS:
        raise InputRefused(f"the file's name must end in one of {', '.join(FORMATS)}, not in {suffix or 'nothing'!r}")
    return FORMATS[suffix]


def results_name(file_name: str, format: Format) -> str:
    """What the results of `file_name` are called."""
    return f"{PurePath(file_name).stem}-results.{format}"


def failed_rows_name(file_name: str) -> str:
    """What the rows of `file_name` without results are called; always JSON lines, since a row may fit no column."""
    return f"{PurePath(file_name).stem}-failed-rows.jsonl"
