"""Health for supervisors and load balancers, and what a client may know before logging in."""

from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from contracts.settings import ControlSettings
from control.injected import Resources, Settings
from control.system.health import check_readiness
from control.system.schemas import Live, Readiness, SignInProvider, System


@get("/health/live", operation_id="getLiveness", tags=["System"], public=True)
async def get_liveness() -> Live:
    """The process runs and its event loop turns."""
    return Live("live")


@get("/health/ready", operation_id="getReadiness", tags=["System"], public=True)
async def get_readiness(resources: Resources) -> Response[Readiness]:
    """200 if the database is there, else 503; either way with the state of every dependency."""
    readiness = await check_readiness(resources)
    status = HTTP_200_OK if readiness.status == "ready" else HTTP_503_SERVICE_UNAVAILABLE
    return Response(readiness, status_code=status)


@get("/system", operation_id="getSystem", tags=["System"], public=True)
async def get_system(settings: Settings) -> System:
    """Version and addresses."""
    return System(
        version("headrace"),
        settings.inference_url,
        grpc_target(settings),
        signup_open=settings.registration == "open",
        signup_domains=settings.signup_domains(),
        sign_in_providers=[SignInProvider(it.name, it.label) for it in settings.oidc],
    )


def grpc_target(settings: ControlSettings) -> str:
    """The gateway's gRPC port follows its HTTP port."""
    url = urlsplit(settings.inference_url)
    return f"{url.hostname}:{(url.port or 8081) + 1}"


PROBES: Final[list[HTTPRouteHandler]] = [get_liveness, get_readiness]
"""At the root, outside the versioned API."""
HANDLERS: Final[list[HTTPRouteHandler]] = [get_system]
