"""What can go wrong with API keys."""

from contracts.errors import Conflict, Invalid, NotFound, Overloaded


class KeyNotFound(NotFound):
    title = "Key not found"


class KeyOwnerUnfit(Invalid):
    title = "Owner of a key unfit"


class KeyExpiryUnfit(Invalid):
    title = "Key expiry unfit"


class KeyLimitsUnfit(Invalid):
    title = "Key limits unfit"


class KeyNetworksUnfit(Invalid):
    title = "Key networks unfit"


class KeyDeploymentsUnfit(Invalid):
    title = "Key deployments unfit"


class KeyNotWorking(Conflict):
    title = "Key not working"


class KeyUseUnknown(Overloaded):
    title = "Use unknown"

    def __init__(self) -> None:
        super().__init__("from where the key was used cannot be read now; try again shortly")
