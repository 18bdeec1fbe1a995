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

    def __init__(self, reason: str) -> None:
        super().__init__("monitoring data cannot be read at the moment; try again shortly", retry_after_s=2.0)
        self.reason = reason
        """For operators: it may name hosts, which callers need not know."""


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
