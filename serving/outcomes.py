"""What a run of the model took and gave, in one piece for all requests that shared it."""

from collections.abc import Sequence

from msgspec import Struct

from serving.tensors import Array

Rendered = tuple[bytes, list[bytes]]
"""An output in JSON: what follows the first number of its shape, and the numbers of each row without their brackets."""


class Outcome(Struct, eq=False):
    """Arrays of one run. Where requests shared it, each owns some rows of every array; otherwise the arrays are one request's.

    They stay in one piece because much of what follows (the answers' JSON, the request log) costs a run less than a request.
    """

    inputs: Sequence[Array]
    """In the order of the signature."""
    outputs: list[Array]
    """In the order asked for; none if there was no answer."""
    rows: int
    """Of all requests together."""
    size: int
    """Elements of all arrays."""
    is_logged: bool = False
    """The request log keeps it already."""
    rendered: Rendered | None = None
    """The only output, once an encoder has written it."""

    def outputs_of(self, begin: int, rows: int) -> list[Array]:
        """The outputs of the request whose `rows` begin at `begin`."""
        if rows == self.rows:
            return self.outputs
        return [it[begin : begin + rows] for it in self.outputs]


def outcome_of(inputs: Sequence[Array], outputs: list[Array], rows: int) -> Outcome:
    """The outcome of a run that took and gave these arrays."""
    return Outcome(inputs, outputs, rows, sum([it.size for it in inputs]) + sum([it.size for it in outputs]))
