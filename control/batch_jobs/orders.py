"""What the process that looks into input files is told on its standard input, and what it says."""

from uuid import UUID

import msgspec
from msgspec import Struct

from contracts.signature import Tensor
from control.batch_jobs.formats import Format


class CheckOrder(Struct, frozen=True, tag="check"):
    """Find out whether a file can be predicted."""

    path: str
    format: Format
    inputs: tuple[Tensor, ...]
    metadata: dict[str, str]
    memory_bytes: int


class RunOrder(Struct, frozen=True, tag="run"):
    """Run a job that was claimed. Holds secrets, so it is never logged or put on a command line."""

    job_id: UUID
    runner: UUID
    folder: str
    """For this job alone; whoever gave the order removes it."""
    database_url: str
    artifacts: str
    s3_endpoint: str
    gateway_url: str
    key: str
    """What the project calls the gateway with."""
    memory_bytes: int


class Checked(Struct, frozen=True):
    """The answer to a CheckOrder: a reason why not, or how many rows there are."""

    refusal: str = ""
    rows: int = 0


def decode_order(blob: bytes) -> CheckOrder | RunOrder:
    """Raises msgspec.DecodeError or msgspec.ValidationError."""
    return msgspec.json.decode(blob, type=CheckOrder | RunOrder)
