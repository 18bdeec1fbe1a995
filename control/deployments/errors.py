"""What can go wrong with deployments."""

from uuid import UUID

from contracts.errors import Conflict, Invalid, NotFound, Overloaded, TooLarge


class DeploymentNotFound(NotFound):
    title = "Deployment not found"

    def __init__(self, deployment_id: UUID) -> None:
        super().__init__(f"no deployment {deployment_id} in this project")


class DeploymentNameTaken(Conflict):
    title = "Deployment name taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"the project has a deployment named {name!r} already; change that one, or choose another name")


class SettingsContradict(Invalid):
    """Each of the settings is well by itself."""

    title = "Settings contradict each other"


class GatewayUnavailable(Overloaded):
    """The gateway gives no answer, or does not know the project yet."""

    title = "Gateway unavailable"


class AnswerTooLarge(TooLarge):
    title = "Answer too large"
