"""Which time a summary covers, and in which steps."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from telemetry.errors import RangeInvalid

MAX_POINTS: Final = 1500
STEPS_S: Final = (60, 300, 900, 3600, 6 * 3600, 86400)
DEFAULT_RANGE: Final = timedelta(hours=1)
MAX_RANGE: Final = timedelta(days=400)
"""As long as the roll-up is kept."""
EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Limits within which ClickHouse's 32-bit times hold every value that is computed here."""


class Range(NamedTuple):
    """From `start` (included) to `end` (excluded), whole UTC minutes, in steps of `step_s` seconds."""

    start: datetime
    end: datetime
    step_s: int


def choose_range(start: datetime | None, end: datetime | None, now: datetime) -> Range:
    """What was asked for, widened to whole minutes, in the finest step that gives at most `MAX_POINTS`; else the last hour.

    Raises RangeInvalid if `end` is not after `start`, or more than `MAX_RANGE` after it.
    """
    impossible = f"`from` must be before `to`, and both between {EARLIEST:%Y} and {LATEST:%Y}"
    try:
        end = (end or max(now, (start or now) + timedelta(minutes=1))).astimezone(UTC)
        start = (start or end - DEFAULT_RANGE).astimezone(UTC)
    except OverflowError as error:  # an hour before the year 1, or a day after the year 9999
        raise RangeInvalid(impossible) from error
    if not EARLIEST <= start < end <= LATEST:
        raise RangeInvalid(impossible)
    if end - start > MAX_RANGE:
        raise RangeInvalid(f"a summary covers {MAX_RANGE.days} days at most")
    start, end = _minute(start), _minute(end + timedelta(seconds=59, microseconds=999_999))
    return Range(start, end, _step_s((end - start).total_seconds()))


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)


def _step_s(seconds: float) -> int:
    """Steps lie on multiples of themselves, so a range can touch one more than it has room for."""
    return next(step for step in STEPS_S if seconds / step <= MAX_POINTS - 1)
