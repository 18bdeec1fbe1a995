"""What a worker keeps in memory: bounded, the least recently used go first, and nothing outlives its time."""

import time
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache import local
from gateway.cache.local import ENTRY_OVERHEAD, Answer, LocalStore

FAR = time.monotonic_ns() + 3_600_000_000_000


def answer(value: float, size_bytes: int = 100, ends_ns: int = FAR) -> Answer:
    return Answer([np.array([value])], size_bytes, ends_ns)


KEYS = st.integers(0, 5).map(lambda it: bytes([it]))


@given(st.lists(st.tuples(KEYS, st.integers(1, 400), st.booleans()), max_size=60))
def test_it_holds_what_was_used_last_and_never_more_than_it_may(steps: list[tuple[bytes, int, bool]]) -> None:
    bound = 4 * (400 + ENTRY_OVERHEAD)
    store, model = LocalStore(bound), OrderedDict[bytes, int]()
    for key, size, is_put in steps:
        if is_put:
            store.put(key, answer(size, size))
            model.pop(key, None)
            model[key] = size
            while sum(it + ENTRY_OVERHEAD for it in model.values()) > bound:
                model.popitem(last=False)
        else:
            found = store.get(key)
            assert (found[0].item() if found else None) == model.get(key)
            if key in model:
                model.move_to_end(key)
        assert len(store) == len(model)
        assert store.size_bytes == sum(it + ENTRY_OVERHEAD for it in model.values()) <= bound


def test_an_answer_ends_to_the_nanosecond(monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(10_000)
    store.put(b"k", answer(1, ends_ns=1_000))
    monkeypatch.setattr(local, "monotonic_ns", lambda: 999)
    assert store.get(b"k") is not None
    monkeypatch.setattr(local, "monotonic_ns", lambda: 1_000)
    assert store.get(b"k") is None
    assert store.size_bytes == 0


def test_a_large_answer_pushes_nothing_out() -> None:
    store = LocalStore(10_000)
    store.put(b"a", answer(1))
    store.put(b"b", answer(2, 9_000))
    assert (len(store), store.get(b"b")) == (1, None)
