"""`python -m gateway`: the inference API, in this process or in several workers that share the port.

Exit status: 0 after SIGTERM or SIGINT, 1 for a defect, 2 for a wrong setting, 3 if the port is taken.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reads it when it is imported

import gc
import socket
import sys
from typing import Final

import msgspec.structs
import uvloop

from contracts.errors import HeadraceError, SettingInvalid
from contracts.logs import configure_logging
from contracts.processes import die_with_parent, take_all_handles
from contracts.settings import GatewaySettings, load_settings
from gateway.home import Home
from gateway.limits.shared_counts import SharedCounts
from gateway.listening import PortTaken, claim, join
from gateway.parent import run_workers
from serving.tls import Tls

YOUNG_OBJECTS: Final = 25_000
"""Walking through them takes about a millisecond."""
LEAVING_S: Final = 5.0
"""How long the previous owner of our folder may take beyond its drain."""
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_STATUSES: Final[dict[type[HeadraceError], int]] = {SettingInvalid: EXIT_USAGE, PortTaken: 3}


def main(arguments: list[str]) -> int:
    """Run one command; the answer is the exit status."""
    try:
        settings = load_settings(os.environ, GatewaySettings)
        Tls.from_settings(settings.tls_certificate, settings.tls_key)  # what is wrong with it is said once, and before anything
        configure_logging(settings.log_level)
        take_all_handles()
        match arguments:
            case []:
                return serve(settings)
            case ["worker", index, bound, ready, counts]:  # how a parent starts each
                die_with_parent()
                return serve_one(settings, int(index), socket.socket(fileno=int(bound)), int(ready), SharedCounts(int(counts)))
            case _:
                print("usage: python -m gateway", file=sys.stderr)
                return EXIT_USAGE
    except HeadraceError as error:
        print(f"headrace gateway: {error}", file=sys.stderr)
        return EXIT_STATUSES.get(type(error), EXIT_FAILED)


def serve(settings: GatewaySettings) -> int:
    """Serve with as many workers as are set. Raises ListenFailed or HomeTaken."""
    has_parent = settings.workers > 1 or settings.restartable
    with (
        claim(settings.host, settings.inference_port, is_shared=has_parent) as bound,
        claim(settings.host, settings.grpc_port, is_shared=True, setting="HEADRACE_GRPC_PORT") as kept,
    ):
        # gRPC takes no socket that is there already: this one keeps the port, and each worker binds its own beside it
        settings = msgspec.structs.replace(settings, grpc_port=kept.getsockname()[1])
        os.environ["HEADRACE_GRPC_PORT"] = str(settings.grpc_port)  # workers have settings of their own
        if not has_parent:
            return serve_one(settings, 0, bound)
        port = bound.getsockname()[1]
        return uvloop.run(run_workers(settings.workers, lambda: join(settings.host, port), settings.drain_s))


def serve_one(
    settings: GatewaySettings, index: int, bound: socket.socket, ready: int | None = None, counts: SharedCounts | None = None
) -> int:
    """Serve on `bound` in this process, and write to the pipe `ready` when it does. Raises HomeTaken.

    In `counts` a worker among several says what it has under way.
    """
    from gateway.worker import Worker  # slow, and a parent has no use for onnxruntime and its 50 MB

    tune_garbage_collection()
    home = Home(settings.data, index, settings.drain_s + LEAVING_S)
    if index == 0:
        home.adopt_beyond(settings.workers)

    def tell() -> None:
        if ready is not None:
            os.write(ready, b"1")
            os.close(ready)

    async def run() -> int:
        return await Worker(settings, home, counts).run(bound, tell)

    return uvloop.run(run())


def tune_garbage_collection() -> None:
    """Look for circles rarely, and not among what is there for good.

    Requests leave none; but what waits for the request log's next flush is walked through each time, at Python's own threshold
    every few hundred requests: a tenth of the gateway's time.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 50)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
