"""What a model takes and gives, as `python -m serving inspect FILE` prints it and as the APIs show it."""

from msgspec import Struct


class Tensor(Struct, frozen=True):
    """One input or output. `datatype` is the protocol's word (FP32, INT64, BYTES, …); -1 in `shape` is a free dimension."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Inspection(Struct, frozen=True):
    """What inspection found in a model file."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    opset: int
    """Version of the default operator set."""
    ir_version: int
    producer: str
    parameters: int
    """Number of weights: elements of all initializers."""
    size_bytes: int
    nodes: int
    metadata: dict[str, str] = {}
    """The file's own key-value metadata; `headrace.*` keys carry feature names, labels and an example."""


class Refusal(Struct, frozen=True):
    """Why a file was refused; printed instead of an Inspection, with exit status 1."""

    reason: str
    """One sentence for the uploader that names the failing node or byte."""
