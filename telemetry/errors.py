"""What can go wrong in telemetry.

HeadraceError
  Overloaded                StoreUnavailable, TooManyReads
  DeadlineExceeded          StoreTimedOut
  Invalid                   RangeInvalid
  (not seen by callers)     StoreRefused, BatchUnreadable, SchemaTooNew
"""

from contracts.errors import DeadlineExceeded, HeadraceError, Invalid, Overloaded


class StoreUnavailable(Overloaded):
    """ClickHouse cannot be reached or cannot work now; the same call may succeed later."""

    title = "Monitoring data unavailable"


class TooManyReads(Overloaded):
    title = "Too many monitoring queries"


class StoreTimedOut(DeadlineExceeded):
    title = "Monitoring data took too long"


class RangeInvalid(Invalid):
    title = "Time range invalid"


class StoreRefused(HeadraceError):
    """ClickHouse works and rejects this very call."""


class BatchUnreadable(HeadraceError):
    """A stream entry holds no record batch, or one that does not fit the table; a retry cannot help."""


class SchemaTooNew(HeadraceError):
    """The store was migrated by a later Headrace than this one."""
