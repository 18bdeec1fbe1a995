"""`python -m serving serve MODEL.onnx` and `python -m serving inspect FILE`."""

import argparse
import asyncio
import errno
import logging
import os
import signal
import sys
from pathlib import Path

import msgspec
import uvloop

from contracts.errors import HeadraceError
from contracts.logs import configure_logging
from contracts.processes import take_all_handles
from contracts.settings import ServeSettings, load_settings
from contracts.signature import Inspection, Refusal
from serving import sandbox
from serving.errors import GrpcPortTaken

logger = logging.getLogger(__name__)

PORT_TAKEN = 3


def main() -> int:
    """Run the subcommand; the exit status is the return value."""
    parser = argparse.ArgumentParser(prog="python -m serving")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve one model, without keys")
    serve.add_argument("model", type=Path)
    serve.add_argument("--name", default="", help="name to serve it under; the file's own if empty")
    inspect = commands.add_parser("inspect", help="print what is in a file of unknown origin")
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--memory-bytes", type=int, default=4 * 1024**3)
    inspect.add_argument("--timeout-s", type=float, default=60.0)
    options = parser.parse_args()
    if options.command == "inspect":
        return run_inspect(options.file, options.memory_bytes, options.timeout_s)
    return run_serve(options.model, options.name)


def run_inspect(file: Path, memory_bytes: int, timeout_s: float) -> int:
    """Print an Inspection and return 0, or a Refusal and return 1."""
    answer, status = _inspect(file.absolute(), memory_bytes, timeout_s)
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    return status


def _inspect(file: Path, memory_bytes: int, timeout_s: float) -> tuple[Inspection | Refusal, int]:
    sandbox.enter(file, memory_bytes, timeout_s)
    try:
        from serving.inspect import ModelRefused, inspect_file  # these libraries start threads: only now, inside

        try:
            return inspect_file(file), 0
        except ModelRefused as refused:
            return Refusal(str(refused)), 1
    except MemoryError:
        return Refusal(f"inspecting the file takes more than {memory_bytes >> 20} MiB of memory"), 1


def run_serve(model: Path, name: str) -> int:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = load_settings(os.environ, ServeSettings)
        configure_logging(settings.log_level)
        take_all_handles()
        uvloop.run(_serve(settings, model, name or model.stem))
    except HeadraceError as error:
        print(f"serving: {error}", file=sys.stderr)
        return PORT_TAKEN if isinstance(error, GrpcPortTaken) else 1
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print("serving: the port is taken; stop what listens there, or set HEADRACE_INFERENCE_PORT", file=sys.stderr)
        return PORT_TAKEN
    return 0


async def _serve(settings: ServeSettings, path: Path, name: str) -> None:
    from serving.alone import serve_alone  # slow to import: onnxruntime

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve_alone(settings, path, name, stop)


if __name__ == "__main__":
    sys.exit(main())
