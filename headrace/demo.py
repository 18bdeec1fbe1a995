"""The sample project: an account, the sample models deployed and a little traffic, so that every page has something to show."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from headrace.client import ApiClient, Json
from headrace.deploying import deploy_file, key_is_known, make_key, wait_until_ready
from headrace.errors import CommandFailed, DeploymentFailed, Refused, TimedOut
from headrace.instance import write_private
from headrace.supervisor.stack import CHECKOUT

EMAIL: Final = "demo@headrace.local"
SAMPLES: Final = CHECKOUT / "docs" / "samples"
READY_TIMEOUT_S: Final = 60.0
SETTLE_TIMEOUT_S: Final = 20.0


class Demo(Struct, kw_only=True):
    """How to use the sample project; kept in the data directory, mode 0600, because passwords and keys are shown only once."""

    email: str = EMAIL
    password: str
    access_token: str = ""
    api_key: str = ""
    project_id: str = ""
    deployments: list[str] = []

    @staticmethod
    def load(path: Path) -> "Demo":
        """The demo kept in `path`, or a new one with a password of its own."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=Demo)
        except FileNotFoundError:
            return Demo(password=secrets.token_urlsafe(12))

    def keep(self, path: Path) -> None:
        write_private(path, msgspec.json.encode(self))


def load_demo(api_url: str, inference_url: str, kept: Path, step: Callable[[str], None]) -> Demo:
    """Make sure that the sample project is there and answers; what is there already is left alone."""
    is_new = not kept.exists()
    demo = Demo.load(kept)
    demo.keep(kept)
    client = _sign_in(demo, api_url, is_new)
    there = {it["name"]: it for it in client.items(f"/api/v1/projects/{demo.project_id}/deployments")}
    fresh = [it for it in sorted(SAMPLES.glob("*.onnx")) if it.stem not in there or it.stem not in demo.deployments]
    for file in fresh:
        deploy_sample(client, demo, file, step)
    for name in sorted(there.keys() & set(demo.deployments)):
        await_what_was_there(client, there[name], step)
    if not demo.api_key or not key_is_known(inference_url, demo.api_key):
        demo.api_key = make_key(client, inference_url, demo.project_id, "sample traffic", ["infer"])["secret"]
    demo.keep(kept)
    if fresh:
        step("sending a little traffic")
        send_traffic(ApiClient(inference_url, demo.api_key), [it.stem for it in fresh])
    return demo


def deploy_sample(client: ApiClient, demo: Demo, file: Path, step: Callable[[str], None]) -> None:
    """Deploy one sample, which must become ready."""
    deployment = deploy_file(client, demo.project_id, file, file.stem, step)
    wait_until_ready(client, deployment, READY_TIMEOUT_S)
    if file.stem not in demo.deployments:
        demo.deployments.append(file.stem)


def await_what_was_there(client: ApiClient, deployment: Json, step: Callable[[str], None]) -> None:
    """Wait for a deployment of an earlier start, which people may have changed since: theirs to mend, and no reason to stop."""
    try:
        wait_until_ready(client, deployment, SETTLE_TIMEOUT_S)
    except (DeploymentFailed, TimedOut) as error:
        step(str(error))


def send_traffic(client: ApiClient, deployments: list[str]) -> None:
    """Send each sample's recorded requests once."""
    for name in deployments:
        for request in recorded_requests(name):
            client.post(f"/v2/models/{quote(name, safe='')}/infer", request)


def example_request(name: str) -> dict[str, Any]:
    """A request that works for the sample `name`."""
    return recorded_requests(name)[0]


def recorded_requests(name: str) -> list[dict[str, Any]]:
    """Requests of the inference protocol to the sample `name`."""
    return msgspec.json.decode((SAMPLES / "traffic.json").read_bytes(), type=dict[str, list[dict[str, Any]]])[name]


def _sign_in(demo: Demo, api_url: str, is_new: bool) -> ApiClient:
    body = {"email": demo.email, "password": demo.password}
    session = _register(api_url, body) if is_new else _log_in(api_url, body)
    demo.access_token, demo.project_id = session["access_token"], session["project_id"]
    return ApiClient(api_url, demo.access_token)


def _log_in(api_url: str, body: dict[str, str]) -> dict[str, Any]:
    try:
        return ApiClient(api_url).post("/api/v1/auth/login", body)
    except Refused:  # we were cut off between keeping the password and registering
        return _register(api_url, body)


def _register(api_url: str, body: dict[str, str]) -> dict[str, Any]:
    try:
        return ApiClient(api_url).post("/api/v1/auth/register", body | {"name": "Demo"})
    except Refused as error:
        raise CommandFailed(
            f"the demo account exists, but not with the password kept here ({error}); "
            "sign in as yourself, or start with an empty HEADRACE_DATA to get a new one"
        ) from error
