"""The fuzzers' corpus, run again, and hypothesis in the fuzzers' place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets_by_name import TARGETS, Target


@pytest.fixture(params=TARGETS.values(), ids=list(TARGETS), scope="module")
def target(request: pytest.FixtureRequest) -> Target:
    return request.param


def test_what_was_found_once_does_no_harm(target: Target) -> None:
    kept = target.kept()
    assert kept
    for data in (*target.seeds, *kept):
        target.check(data)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_neither_do_bytes_that_resemble_it(target: Target, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(target.seeds))
    begin, end = data.draw(st.integers(0, len(seed))), data.draw(st.integers(0, len(seed)))
    target.check(seed[:begin] + data.draw(st.binary(max_size=30)) + seed[end:])


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=400))
def test_neither_do_any_bytes(target: Target, data: bytes) -> None:
    target.check(data)
