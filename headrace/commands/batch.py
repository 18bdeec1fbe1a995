"""`batch`: predict every row of a file."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from headrace.client import ApiClient, Json
from headrace.commands import options
from headrace.errors import CommandFailed
from headrace.output import Output

POLL_S: Final = 0.5
STEP_S: Final = 5.0
"""How often a line says how far it is."""


def batch(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    file: Annotated[Path, typer.Argument(help="A CSV, JSON lines or Parquet file.", exists=True, dir_okay=False)],
    output_file: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the results go; FILE-results beside FILE if empty.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Predict every row of FILE by DEPLOYMENT; returns when the results are here."""
    output = Output(as_json)
    me = options.signed_in()
    jobs = f"/api/v1/projects/{me.project_id}/batch-jobs"
    output.step(f"uploading {file.name}")
    made = me.client.upload(jobs, file, deployment_id=_deployment_id(me.client, me.project_id, deployment))
    job = _wait(lambda: options.signed_in().client.get(f"{jobs}/{made['id']}"), output.step)
    if job["state"] != "succeeded":
        raise CommandFailed(f"job {job['id']} is {job['state']}: {job['reason']}" if job["reason"] else f"it was {job['state']}")
    client = options.signed_in().client
    files: Json = {}
    for what, path in (("results", "results"), ("failed_rows", "failed-rows")):
        if job[what] is not None:
            named = output_file if what == "results" else None
            files[what] = str(client.download(f"{jobs}/{job['id']}/{path}", named or file.with_name(job[what]["file_name"])))
    words = "\n".join(f"{what.replace('_', ' ')}: {escape(path)}" for what, path in files.items())
    output.result({"job": job, "files": files}, f"{job['rows_done']:,} rows predicted, {job['rows_failed']:,} failed\n{words}")


def _deployment_id(client: ApiClient, project_id: str, name: str) -> str:
    found = next((it for it in client.items(f"/api/v1/projects/{project_id}/deployments") if it["name"] == name), None)
    if found is None:
        raise CommandFailed(f"there is no deployment {name!r} in your project")
    return found["id"]


def _wait(look: Callable[[], Json], step: Callable[[str], None]) -> Json:
    """The job once it is over."""
    said_at = 0.0
    while (job := look())["state"] in ("queued", "running"):
        if time.monotonic() - said_at > STEP_S:
            said_at = time.monotonic()
            step(f"{job['state']}, {job['rows_done'] + job['rows_failed']:,} of {job['rows_total']:,} rows")
        time.sleep(POLL_S)
    return job
