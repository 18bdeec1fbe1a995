"""What can go wrong with API keys."""

from contracts.errors import Invalid, NotFound


class KeyNotFound(NotFound):
    title = "Key not found"


class KeyExpiryUnfit(Invalid):
    title = "Key expiry unfit"


class KeyLimitsUnfit(Invalid):
    title = "Key limits unfit"
