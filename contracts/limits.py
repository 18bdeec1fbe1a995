"""Where the gateway counts what keys have used of their daily quota, and control reads it."""

from typing import Final
from uuid import UUID

DAY_S: Final = 86_400
USED: Final = "used"
"""The field, in the hash under `quota_key`, with the requests of the day as a decimal number."""


def utc_day(time_s: float) -> int:
    """Days since the epoch; quotas begin anew with each."""
    return int(time_s // DAY_S)


def quota_key(key_uuid: UUID, day: int) -> str:
    """Redis key of what a key has used on `day`."""
    return f"headrace:limit:{key_uuid}:day:{day}"
