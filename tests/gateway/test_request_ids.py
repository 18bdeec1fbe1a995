"""Request ids are UUIDv7 that sort by time and never repeat."""

from uuid import RFC_4122, UUID

from gateway.request_ids import RequestIds


def test_an_id_is_a_uuid_of_version_7_that_holds_its_time() -> None:
    moment_ms = 1_790_000_000_123
    made = UUID(RequestIds().next(moment_ms))
    assert (made.version, made.variant, made.int >> 80) == (7, RFC_4122, moment_ms)


def test_ids_of_one_millisecond_are_all_different() -> None:
    ids = RequestIds()
    made = [ids.next(5) for _ in range(100_000)]
    assert len(set(made)) == len(made)


def test_two_workers_never_make_the_same_id() -> None:
    first, second = RequestIds(), RequestIds()
    assert not {first.next(5) for _ in range(1000)} & {second.next(5) for _ in range(1000)}


def test_a_later_millisecond_sorts_later() -> None:
    ids = RequestIds()
    made = [ids.next(moment) for moment in (1, 2, 3, 1_000_000_000_000)]
    assert made == sorted(made)
