"""What the batch job routes give."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from control.batch_jobs.formats import Format

BatchJobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class BatchJobInput(Struct, frozen=True):
    """The file whose rows are predicted."""

    file_name: str
    format: Format
    digest: str
    """SHA-256 of the file, in hex."""
    size_bytes: int


class BatchJobFile(Struct, frozen=True):
    """A file that a job made."""

    file_name: str
    digest: str
    size_bytes: int


class BatchJob(Struct, frozen=True):
    """The prediction of all rows of a file by the model version that a deployment served when the job was made."""

    id: UUID
    project_id: UUID
    deployment_id: UUID | None
    """Null once the deployment is deleted."""
    deployment_name: str
    model_name: str
    model_version: int
    input: BatchJobInput
    state: BatchJobState
    reason: str
    """Why it failed, for people; empty otherwise."""
    rows_total: int
    """Exact for Parquet and once the job has succeeded; otherwise the file's lines were counted."""
    rows_done: int
    """Rows with results."""
    rows_failed: int
    created_at: datetime
    created_by: str
    """Name of the person who made it; empty if the account is gone."""
    started_at: datetime | None
    finished_at: datetime | None
    results: BatchJobFile | None
    """The rows with the model's answers beside them, once the job has succeeded; null as well if no row did."""
    failed_rows: BatchJobFile | None
    """The rows that have no results, each with the reason."""


class BatchJobPage(Struct, frozen=True):
    """Batch jobs, newest first."""

    items: list[BatchJob]
    next_cursor: UUID | None
