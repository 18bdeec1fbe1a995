"""What can go wrong with models, their versions and their uploads."""

from uuid import UUID

from contracts.errors import Conflict, HeadraceError, Invalid, NotFound, Overloaded, TooLarge


class ModelNotFound(NotFound):
    title = "Model not found"

    def __init__(self, model_id: UUID) -> None:
        super().__init__(f"no model {model_id} in this project")


class VersionNotFound(NotFound):
    title = "Model version not found"


class ModelNameTaken(Conflict):
    title = "Model name taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"the project has a model named {name!r} already")


class ModelInUse(Conflict):
    title = "Model in use"

    def __init__(self, deployments: list[str]) -> None:
        named = ", ".join(deployments) or "a new deployment"
        super().__init__(f"deployments hold versions of this model, now or in their history: {named}; delete them first")


class VersionExists(Conflict):
    title = "Version exists"

    def __init__(self, number: int) -> None:
        super().__init__(f"version {number} of this model is this very file already")


class ModelRefused(Invalid):
    """Inspection found that the file cannot be served; nothing of it was kept."""

    title = "Model refused"


class UploadTooLarge(TooLarge):
    title = "Upload too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"a model file may have {limit:,} bytes at most")


class UploadIncomplete(HeadraceError):
    """The client fell silent before the whole file was there."""

    status = 408
    title = "Upload incomplete"


class UploadsBusy(Overloaded):
    title = "Uploads busy"


class StorageFull(Overloaded):
    """There is no room to take the upload in."""

    status = 507
    title = "Storage full"


class StoreUnavailable(Overloaded):
    """The artifact store did not take the file."""

    title = "Artifact store unavailable"
