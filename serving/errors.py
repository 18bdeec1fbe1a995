"""What can be wrong with a request to a model; the protocol says 400 for nearly all of it."""

from contracts.errors import DeadlineExceeded, HeadraceError, Invalid, NotFound, Overloaded


class RequestMalformed(Invalid):
    """The body is not what the protocol says: JSON, structure, lengths."""

    status = 400
    title = "Request malformed"


class ShapeMismatch(RequestMalformed):
    """Shape and data disagree, or the model takes another shape."""


class TensorInvalid(RequestMalformed):
    """An input's name, datatype or values will not do."""


class EncodingUnsupported(Invalid):
    """A Content-Encoding other than gzip, deflate and identity."""

    status = 415


class ModelUnknown(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"no model is called {name!r} here")


class VersionNotFound(NotFound):
    def __init__(self, name: str, version: str) -> None:
        super().__init__(f"model {name!r} has no version {version!r} here")


class ExtensionUnsupported(Invalid):
    """A part of the protocol that is not served; the text says what there is instead."""

    status = 400
    title = "Extension unsupported"


class PathNotFound(NotFound):
    def __init__(self, path: str) -> None:
        super().__init__(f"there is nothing at {path}")


class QueueFull(Overloaded):
    def __init__(self, name: str, rows: int, retry_after_s: float) -> None:
        super().__init__(f"{rows} rows wait for model {name!r} already; try again", retry_after_s)


class TooMuchHeld(Overloaded):
    """The bodies of all requests not yet answered would be too large together."""

    title = "Too much held"

    def __init__(self) -> None:
        super().__init__("too many large requests at once; try again", retry_after_s=1)


class ModelClosed(Overloaded):
    def __init__(self, name: str) -> None:
        super().__init__(f"model {name!r} is being unloaded; try again", retry_after_s=1)


class RequestTimedOut(DeadlineExceeded):
    def __init__(self, name: str, timeout_s: float) -> None:
        super().__init__(f"model {name!r} did not answer within {timeout_s:g} s")


class CallerLeft(HeadraceError):
    """The client closed its connection before its answer; nobody reads this."""

    status = 499
    title = "Caller left"


class ModelFailed(HeadraceError):
    """onnxruntime failed on this request; `str(error)` is its reason."""

    title = "Model failed"


class InputRefusedByModel(RequestMalformed):
    """onnxruntime says that the input will not do."""


class CallFailed(HeadraceError):
    """A defect of ours."""

    title = "Call failed"

    def __init__(self) -> None:
        super().__init__("internal error")


class AnswerUnencodable(HeadraceError):
    """The model gave something that the protocol has no form for, or that its signature denies."""

    title = "Answer unencodable"

    def __init__(self, name: str) -> None:
        super().__init__(f"model {name!r} gave an answer that cannot be sent")


class GrpcPortTaken(HeadraceError):
    """Somebody else listens on the port for gRPC, or it cannot be listened on."""

    title = "Port taken"


class ModelNotLoadable(HeadraceError):
    """The file is damaged, or needs what this runtime lacks; the text names the failing node where onnxruntime does."""

    title = "Model not loadable"


class PaddingRefused(ModelNotLoadable):
    """The deployment asks for padding, and the model was seen not to bear it."""

    title = "Padding refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"batching.padding cannot be used with this model: {reason}")
