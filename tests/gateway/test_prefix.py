"""A project can be called under its own path too."""

from collections.abc import Generator

import msgspec
import pytest

from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import ROW, RunningGateway, body
from tests.gateway.tables import authorization, deployment, key, revision, store_model
from tests.models import sum_model

PREFIX = "/o/acme/p/fraud"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    """The project `acme/fraud` with the deployment `sum`."""
    directory = tmp_path_factory.mktemp("prefix")
    valkey = BreakableValkey(directory)
    valkey.start()
    gateway = RunningGateway(directory, valkey)
    summing = deployment("sum", revision(store_model(gateway.artifacts, sum_model(directory / "sum.onnx"))))
    slugs = msgspec.structs.replace(summing, organization_slug="acme", project_slug="fraud")
    gateway.publish(slugs, keys=(key(), key("withrepo1234", scopes=("infer", "repository"))))
    gateway.start()
    yield gateway
    gateway.close()
    valkey.kill()


@pytest.mark.parametrize("prefix", ["", PREFIX, "/o/acme/p/%66raud"])
def test_every_path_is_there_under_the_prefix(served: RunningGateway, prefix: str) -> None:
    headers = authorization("withrepo1234")
    for _ in range(2):  # the second time its head is known
        answer = served.http.post(f"{prefix}/v2/models/sum/infer", json=body(ROW), headers=headers)
        assert answer.json()["outputs"][0]["data"] == [10.0]
    for path in ("/v2", "/v2/health/ready", "/v2/models/sum", "/v2/models/sum/versions/1/config", "/v2/models/stats"):
        assert served.http.get(prefix + path, headers=headers).status_code == 200
    assert served.http.post(f"{prefix}/v2/repository/index", headers=headers).json()[0]["name"] == "sum"


@pytest.mark.parametrize("prefix", ["/o/acme/p/other", "/o/other/p/fraud", "/o/acme/p/", "/o//p/", "/o/ACME/p/fraud"])
def test_another_projects_path_is_not_this_keys(served: RunningGateway, prefix: str) -> None:
    for path in ("/v2", "/v2/models/sum", "/v2/models/stats", "/v2/health/live"):
        answer = served.http.get(prefix + path, headers=authorization())
        assert (answer.status_code, answer.json()["error"]) == (404, f"this key's project is not at {prefix}")
    answer = served.http.post(f"{prefix}/v2/models/sum/infer", json=body(ROW), headers=authorization())
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/o", "/o/acme", "/o/acme/p/fraud", "/o/acme/x/fraud/v2", "/o/acme/p/fraud/o/acme/p/fraud/v2"])
def test_what_is_no_prefix_leads_nowhere(served: RunningGateway, path: str) -> None:
    assert served.http.get(path, headers=authorization()).status_code == 404


def test_a_prefix_without_a_key_is_401(served: RunningGateway) -> None:
    assert served.http.get(f"{PREFIX}/v2/models/sum").status_code == 401
