"""What can go wrong with batch jobs."""

from uuid import UUID

from contracts.errors import Conflict, HeadraceError, Invalid, NotFound, TooLarge, TooMany


class BatchJobNotFound(NotFound):
    title = "Batch job not found"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"no batch job {job_id} in this project")


class BatchJobFileMissing(NotFound):
    """The job has no such file: it is not finished, or no row failed."""

    title = "Batch job file missing"


class BatchJobInWrongState(Conflict):
    """The job is not in a state in which this can be done."""

    title = "Batch job in another state"


class BatchJobsWaiting(TooMany):
    title = "Too many batch jobs"


class InputRefused(Invalid):
    """The file cannot be read, or its columns do not fit the model; nothing of it was kept."""

    title = "Input refused"


class InputTooLarge(TooLarge):
    title = "Input too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"an input file may have {limit:,} bytes at most")


class JobStopped(HeadraceError):
    """The job cannot go on; `str(error)` is the reason people read."""

    title = "Batch job stopped"


class LeaseLost(HeadraceError):
    """The job was cancelled or deleted, or another process has taken it over."""

    title = "Batch job lost"
