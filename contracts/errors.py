"""The error family every program raises; one handler per protocol turns it into an answer.

    HeadraceError               500
      Unauthenticated           401
      Forbidden                 403
      NotFound                  404
      Conflict                  409
      TooLarge                  413
      Invalid                   422
      TooMany                   429   (carries retry_after_s)
      Overloaded                503   (carries retry_after_s)
      DeadlineExceeded          504

Each program derives the words of its own domain from these (`ModelNotFound(NotFound)`).
"""

from typing import ClassVar


class HeadraceError(Exception):
    """A failure with a status; `str(error)` is the detail shown to the caller."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"


class Unauthenticated(HeadraceError):
    status = 401
    title = "Not signed in"


class Forbidden(HeadraceError):
    status = 403
    title = "Not allowed"


class NotFound(HeadraceError):
    status = 404
    title = "Not found"


class Conflict(HeadraceError):
    status = 409
    title = "Conflict"


class TooLarge(HeadraceError):
    status = 413
    title = "Too large"


class Invalid(HeadraceError):
    status = 422
    title = "Invalid"


class TooMany(HeadraceError):
    status = 429
    title = "Too many requests"

    def __init__(self, detail: str, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Overloaded(HeadraceError):
    status = 503
    title = "Overloaded"

    def __init__(self, detail: str, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(HeadraceError):
    status = 504
    title = "Deadline exceeded"


class SettingInvalid(HeadraceError):
    """A setting is missing, misspelt or out of range; the program must not start."""

    title = "Setting invalid"
