"""Which revision answers, while revisions come and go."""

from collections import Counter
from uuid import UUID

import pytest

from contracts.routes import Artifact, Revision
from contracts.workers import RevisionState
from gateway.endpoints import Endpoint, Placement
from gateway.traffic import Counts
from tests.gateway.tables import deployment, revision

READY, LOADING, FAILED = RevisionState.READY, RevisionState.LOADING, RevisionState.FAILED


def placed(version: int, state: RevisionState = LOADING, weight: int = 100) -> Placement:
    it: Revision = revision(Artifact("0" * 64, 1), version, weight=weight)
    placement = Placement(deployment("d", it, deployment_id=UUID(int=1)), it, Counts())
    placement.state = state
    return placement


def wanting(*placements: Placement, after: Endpoint | None = None) -> Endpoint:
    endpoint = after or Endpoint()
    endpoint.wanted = placements
    endpoint.settle()
    return endpoint


def test_the_old_revision_serves_until_the_new_one_is_ready() -> None:
    old, new = placed(1, READY), placed(2)
    endpoint = wanting(new, after=wanting(old))
    assert endpoint.pick() is old
    new.state = READY
    endpoint.settle()
    assert (endpoint.pick(), list(endpoint.placements())) == (new, [new])


def test_the_old_revision_serves_on_if_the_new_one_fails() -> None:
    old, new = placed(1, READY), placed(2, FAILED)
    endpoint = wanting(new, after=wanting(old))
    assert (endpoint.pick(), list(endpoint.placements())) == (old, [new, old])


def test_a_pair_takes_over_together() -> None:
    old, stable, canary = placed(1, READY), placed(2, READY), placed(3)
    endpoint = wanting(stable, canary, after=wanting(old))
    assert endpoint.serving == (old,)
    canary.state = READY
    endpoint.settle()
    assert endpoint.serving == (stable, canary)


def test_half_a_pair_serves_if_the_other_half_failed() -> None:
    stable, canary = placed(2, READY), placed(3, FAILED)
    assert wanting(stable, canary, after=wanting(placed(1, READY))).serving == (stable,)


def test_at_first_whatever_is_ready_serves() -> None:
    stable, canary = placed(1, READY), placed(2)
    assert wanting(canary, stable).pick() is stable


def test_with_nothing_ready_the_first_wanted_one_is_blamed() -> None:
    loading = placed(1)
    assert wanting(loading).pick() is loading


def test_a_deployment_without_revisions_serves_nothing_any_more() -> None:
    endpoint = wanting(after=wanting(placed(1, READY)))
    assert (endpoint.pick(), list(endpoint.placements())) == (None, [])


@pytest.mark.parametrize(
    ("weights", "expected"), [((0, 100), (0, 1000)), ((100, 0), (1000, 0)), ((0, 0), (0, 1000)), ((1, 3), (250, 750))]
)
def test_shares_follow_the_weights(weights: tuple[int, int], expected: tuple[int, int]) -> None:
    pair = [placed(number, READY, weight) for number, weight in enumerate(weights)]
    endpoint = wanting(*pair)
    picked = Counter(endpoint.pick() for _ in range(1000))
    assert [picked[it] for it in pair] == pytest.approx(expected, abs=0 if 0 in weights else 80)


def test_a_version_is_found_serving_or_only_wanted() -> None:
    old, new = placed(1, READY), placed(2)
    endpoint = wanting(new, after=wanting(old))
    assert [endpoint.pick_version(it) for it in ("1", "2", "3", "01")] == [old, new, None, None]
