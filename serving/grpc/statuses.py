"""How gRPC tells errors: a code, a text, and trailing metadata in place of HTTP's headers."""

from typing import Final

import grpc
from grpc import StatusCode

from contracts.errors import HeadraceError

Metadata = tuple[tuple[str, str], ...]

MAX_DETAILS: Final = 1000
"""Bytes of an error's text. It travels in a header, where each that is not ASCII takes three, and clients take 8 KiB of those."""
_CODES: Final = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    409: StatusCode.FAILED_PRECONDITION,
    413: StatusCode.RESOURCE_EXHAUSTED,
    415: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    499: StatusCode.CANCELLED,
    501: StatusCode.UNIMPLEMENTED,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}


class MethodUnsupported(HeadraceError):
    """The method is not served; the text says what there is instead."""

    status = 501
    title = "Method unsupported"


def code_of(error: HeadraceError) -> StatusCode:
    """gRPC's word for the error's status."""
    return _CODES.get(error.status, StatusCode.INTERNAL)


def metadata_of(headers: bytes) -> Metadata:
    """Whole header lines as metadata."""
    lines = headers.decode("latin-1").split("\r\n")[:-1]
    return tuple((name, value) for name, _, value in (it.partition(": ") for it in lines))


async def abort(context: grpc.aio.ServicerContext[bytes, bytes], error: HeadraceError, metadata: Metadata = ()) -> None:
    """End the RPC with `error`; raises."""
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        metadata += (("retry-after", str(max(1, round(retry_after_s)))),)
    details = str(error).encode()[:MAX_DETAILS].decode(errors="ignore")
    await context.abort(code_of(error), details, metadata)
