"""What the monitoring API answers: telemetry makes it, control passes it on as it is."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class RequestPoint(Struct, frozen=True):
    """The calls of one step, which begins at `time`. Durations are whole microseconds."""

    time: datetime
    requests: int
    errors: int
    """Answers with status 400 and above."""
    server_errors: int
    """Answers with status 500 and above."""
    rows: int
    p50_us: int
    p95_us: int
    p99_us: int


class RequestTotals(Struct, frozen=True):
    """The calls of the whole range; percentiles are null if there were none."""

    requests: int
    errors: int
    server_errors: int
    rows: int
    p50_us: int | None
    p95_us: int | None
    p99_us: int | None
    lost: int
    """Calls that the gateways could not log in this range. They cannot tell whose: it is an upper bound for one deployment."""


class RequestSummary(Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """Requests from `from` (included) to `to` (excluded), both widened to whole minutes; steps without requests are absent."""

    start: datetime
    end: datetime
    step_s: int
    points: list[RequestPoint]
    totals: RequestTotals


class RecentRequest(Struct, frozen=True):
    """One call. Durations are whole microseconds."""

    request_id: UUID
    time: datetime
    status: int
    error_code: str
    """Class name of the error; empty on success."""
    rows: int
    batch_rows: int
    """Rows of the batch this request ran in."""
    total_us: int
    queue_us: int
    infer_us: int
    version_id: UUID


class RecentRequests(Struct, frozen=True):
    """The latest calls, newest first."""

    items: list[RecentRequest]


class DayRequests(Struct, frozen=True):
    """The calls of one day (UTC), which begins at `day`."""

    day: datetime
    requests: int
    errors: int
    """Answers with status 400 and above."""


class ProjectRequests(Struct, frozen=True):
    """The calls of one project."""

    project_id: UUID
    requests: int
    errors: int
    """Answers with status 400 and above."""


class OrganizationRequests(Struct, frozen=True):
    """The calls of an organization; days and projects without any are absent."""

    days: list[DayRequests]
    """In order of time."""
    projects: list[ProjectRequests]
    """Those with the most first; 100 at most."""


class RequestsByProject(Struct, frozen=True):
    """The calls of each project that was asked for; those without any are absent."""

    items: list[ProjectRequests]


class KeyUse(Struct, frozen=True):
    """What one API key did."""

    key_id: UUID
    requests: int
    errors: int
    """Answers with status 400 and above, those of limits included."""
    refused: int
    """By its limits (429)."""
    last_used_at: datetime


class KeyUses(Struct, frozen=True):
    """What API keys did; those that did nothing are absent."""

    items: list[KeyUse]


class KeyPoint(Struct, frozen=True):
    """The calls of one key in one step, which begins at `time`."""

    time: datetime
    requests: int
    errors: int
    refused: int


class KeyHistory(Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """What one key did from `from` (included) to `to` (excluded); steps without calls are absent."""

    start: datetime
    end: datetime
    step_s: int
    points: list[KeyPoint]
    use: KeyUse | None
    """All of it; null if it did nothing."""
