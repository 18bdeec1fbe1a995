"""What a parser may say of bytes that will not do."""

from contracts.errors import HeadraceError


def demand_callers_fault(error: HeadraceError) -> None:
    """Raises AssertionError unless `error` is a 4xx that can be told."""
    if not 400 <= error.status < 500:
        raise AssertionError("bytes from outside were called a fault of ours") from error
    assert str(error).encode(errors="replace")
