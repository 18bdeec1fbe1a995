"""`signup`, `login` and `key create`."""

from typing import Annotated

import typer
from rich.markup import escape

from headrace.client import ApiClient, Json
from headrace.commands import options
from headrace.deploying import make_key
from headrace.output import Output
from headrace.session import KeptSession

key_commands = typer.Typer(help="API keys for applications.", no_args_is_help=True)


def signup(
    email: Annotated[str, typer.Option(prompt=True, help="Your e-mail address.")],
    password: options.Password,
    name: Annotated[str, typer.Option(help="How you are called; the address if empty.")] = "",
    as_json: options.AsJson = False,
) -> None:
    """Create an account with an organization and a first project, and stay signed in."""
    body = {"email": email, "password": password, "name": name or email.partition("@")[0]}
    _sign_in("register", body, Output(as_json))


def login(
    email: Annotated[str, typer.Option(prompt=True, help="Your e-mail address.")],
    password: options.Password,
    as_json: options.AsJson = False,
) -> None:
    """Sign in, and stay signed in for the other commands."""
    _sign_in("login", {"email": email, "password": password}, Output(as_json))


@key_commands.command("create")
def create_key(
    scope: Annotated[list[str] | None, typer.Option(help="What the key may do; give it once for each scope.")] = None,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    as_json: options.AsJson = False,
) -> None:
    """Create an API key in your project; its secret is shown this once."""
    me = options.signed_in()
    made = make_key(me.client, options.inference_url(me.api_url), me.project_id, name, scope or ["infer"])
    Output(as_json).result(made, f"[bold]{made['secret']}[/bold]\nThis is shown once; store it now.")


def _sign_in(how: str, body: Json, output: Output) -> None:
    url = options.api_url()
    made = ApiClient(url).post(f"/api/v1/auth/{how}", body)
    session = KeptSession(
        api_url=options.settings().api_url,
        email=body["email"],
        access_token=made["access_token"],
        refresh_token=made["refresh_token"],
        organization_id=made["organization_id"],
        project_id=made["project_id"],
    )
    session.keep(options.session_file())
    shown = {name: made[name] for name in ("access_token", "organization_id", "project_id")}
    output.result(shown, f"Signed in as [bold]{escape(body['email'])}[/bold]. Next: `headrace deploy MODEL.onnx --name NAME`")
