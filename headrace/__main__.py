"""Entry point of the `headrace` command: `headrace …` or `python -m headrace …`."""

import json
import sys

import typer

from contracts.errors import HeadraceError
from headrace.commands import accounts, batch, checks, instances, models, roles
from headrace.errors import CommandFailed
from headrace.exits import Exit

app = typer.Typer(
    name="headrace",
    help="Inference-first MLOps: from an ONNX file to a watched, low-latency endpoint.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (instances.up, instances.down, instances.status, instances.logs, instances.demo, checks.doctor):
    app.command(rich_help_panel="This instance")(_command)
for _command in (accounts.signup, accounts.login, models.deploy, models.predict, batch.batch):
    app.command(rich_help_panel="Your project")(_command)
app.add_typer(roles.audit_commands, name="audit", rich_help_panel="Roles")
app.add_typer(accounts.key_commands, name="key", rich_help_panel="Your project")
for _command in (roles.control, roles.telemetry, roles.gateway, roles.serve, roles.migrate):
    app.command(rich_help_panel="Roles")(_command)


def main() -> None:
    """Run the command line; a failure is one line on standard error (one JSON object on standard output with --json)."""
    try:
        app()
    except (HeadraceError, OSError) as error:
        if "--json" in sys.argv:
            print(json.dumps({"error": str(error)}))
        print(f"headrace: {error}", file=sys.stderr)
        sys.exit(error.exit if isinstance(error, CommandFailed) else Exit.FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
