"""From a file to a deployment: waiting ends as soon as the end is known."""

import pytest

from headrace.client import ApiClient
from headrace.deploying import key_is_known, wait_until_ready
from headrace.errors import CommandFailed, DeploymentFailed, TimedOut, Unreachable
from tests.headrace.control_plane import Answer, serving
from tests.services import free_port

DEPLOYMENT = {"id": "d", "project_id": "p"}
PATH = "GET /api/v1/projects/p/deployments/d"


def seen(state: str, *workers: str, reason: str = "") -> Answer:
    return 200, {"name": "x", "state": state, "state_reason": reason, "workers": [{"state": it} for it in workers]}


def test_it_waits_through_every_state_that_may_still_become_ready() -> None:
    states = [seen("unavailable"), seen("pending", "pending"), seen("degraded", "ready", "loading"), seen("ready", "ready")]
    with serving({PATH: states}) as fake:
        assert wait_until_ready(ApiClient(fake.url), DEPLOYMENT, 10)["state"] == "ready"
    assert len(fake.calls) == 4


@pytest.mark.parametrize("state", ["failed", "degraded"])
def test_a_revision_that_failed_is_not_waited_for(state: str) -> None:
    with (
        serving({PATH: seen(state, "failed", reason="no such operator")}) as fake,
        pytest.raises(DeploymentFailed, match=f"x is {state}: no such operator"),
    ):
        wait_until_ready(ApiClient(fake.url), DEPLOYMENT, 10)
    assert len(fake.calls) == 1


def test_time_is_up_once() -> None:
    with serving({PATH: seen("starting", "loading")}) as fake, pytest.raises(TimedOut, match="x is still starting after 0 s"):
        wait_until_ready(ApiClient(fake.url), DEPLOYMENT, 0)


@pytest.mark.parametrize(("status", "is_known"), [(401, False), (404, True), (403, True)])
def test_a_key_is_known_unless_the_gateway_says_401(status: int, is_known: bool) -> None:
    with serving({"GET /v2/models/no-such-model": (status, {"error": "no"})}) as fake:
        assert key_is_known(fake.url, "hr_a_b") is is_known


def test_a_gateway_that_is_not_there_or_not_well_is_not_mistaken_for_one_that_knows() -> None:
    with pytest.raises(Unreachable):
        key_is_known(f"http://127.0.0.1:{free_port()}", "hr_a_b")
    with serving({"GET /v2/models/no-such-model": (503, {"error": "loading"})}) as fake, pytest.raises(CommandFailed):
        key_is_known(fake.url, "hr_a_b")
