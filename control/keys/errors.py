"""What can go wrong with API keys."""

from contracts.errors import Conflict, Invalid, NotFound


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
