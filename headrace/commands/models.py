"""`deploy` and `predict`."""

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer
from rich.markup import escape

from headrace.client import ApiClient, Json
from headrace.commands import options
from headrace.deploying import deploy_file, key_is_known, make_key, wait_until_ready
from headrace.errors import CommandFailed
from headrace.output import Output
from headrace.session import KeptSession


def deploy(
    model: Annotated[Path, typer.Argument(help="An ONNX file.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="Name of the deployment, as applications will call it.")],
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds to wait until it is ready.")] = 120.0,
    as_json: options.AsJson = False,
) -> None:
    """Upload MODEL and deploy it as NAME; returns when it answers."""
    output = Output(as_json)
    me = options.signed_in()
    deployment = deploy_file(me.client, me.project_id, model, name, output.step)
    output.step("waiting until it is ready")
    ready = wait_until_ready(me.client, deployment, timeout_s)
    shown = {"deployment": ready, "state": ready["state"]}
    output.result(shown, f"[bold]{escape(name)}[/bold] is {ready['state']}. Next: `headrace predict {escape(name)} --data '…'`")


def predict(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    data: Annotated[
        str, typer.Option(help="A request of the protocol, {input: values}, or bare values; @FILE or - for standard input.")
    ],
    as_json: options.AsJson = False,
) -> None:
    """Send one request to DEPLOYMENT and print what it answers."""
    client = _inference_client()
    path = f"/v2/models/{quote(deployment, safe='')}"
    answer = client.post(f"{path}/infer", _request(_read(data), lambda: client.get(path)["inputs"]))
    words = "\n".join(f"{it['name']} {it['shape']}: {it['data']}" for it in answer["outputs"])
    Output(as_json).result(answer, escape(words))


def _inference_client() -> ApiClient:
    """With `HEADRACE_API_KEY`, or else with a key of the session's own, made anew if it was revoked."""
    if key := options.settings().api_key:
        return ApiClient(options.inference_url(options.api_url()), key)
    me = options.signed_in()
    url = options.inference_url(me.api_url)
    session = KeptSession.load(options.session_file())
    if not session.api_key or not key_is_known(url, session.api_key):
        session.api_key = make_key(me.client, url, session.project_id, "headrace predict", ["infer"])["secret"]
        session.keep(options.session_file())
    return ApiClient(url, session.api_key)


def _read(data: str) -> Any:
    text = sys.stdin.buffer.read() if data == "-" else Path(data[1:]).read_bytes() if data.startswith("@") else data
    try:
        return msgspec.json.decode(text)  # unlike json's, it refuses NaN and what does not fit a float
    except (msgspec.DecodeError, RecursionError) as error:
        raise CommandFailed(f"--data is not JSON: {error}") from error


def _request(value: Any, inputs: Any) -> Json:
    if isinstance(value, dict) and "inputs" in value:
        return value
    wanted = inputs()
    if not isinstance(value, dict):
        if len(wanted) != 1:
            raise CommandFailed(
                f"the model has {len(wanted)} inputs; give --data as an object with {[it['name'] for it in wanted]}"
            )
        value = {wanted[0]["name"]: value}
    names = [it["name"] for it in wanted]
    if unknown := sorted(value.keys() - set(names)):
        raise CommandFailed(f"the model has no input {unknown[0]!r}; its inputs are {names}")
    return {"inputs": [_tensor(it, value[it["name"]]) for it in wanted if it["name"] in value]}


def _tensor(wanted: Json, values: Any) -> Json:
    """`values` as a tensor of the input `wanted`: as nested as given, with the missing leading dimensions added."""
    shape, inner = list[int](), values
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    if len(shape) > len(wanted["shape"]):
        raise CommandFailed(f"input {wanted['name']!r} takes {len(wanted['shape'])} dimensions, --data has {len(shape)}")
    missing = len(wanted["shape"]) - len(shape)
    return {
        "name": wanted["name"],
        "datatype": wanted["datatype"],
        "shape": [1] * missing + shape,
        "data": values if shape else [values],
    }
