"""What can go wrong with organizations."""

from contracts.errors import Conflict, Invalid


class SlugTaken(Conflict):
    title = "Address taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"another organization has the address {slug!r}")


class SlugReserved(Conflict):
    title = "Address reserved"

    def __init__(self, slug: str) -> None:
        super().__init__(f"no organization may have the address {slug!r}")


class TooManyOrganizations(Conflict):
    title = "Too many organizations"

    def __init__(self, most: int) -> None:
        super().__init__(f"one person owns at most {most} organizations")


class WebhookUnfit(Invalid):
    title = "Webhook unfit"

    def __init__(self) -> None:
        super().__init__("a Slack webhook begins with https:// and the public name of a server, and has a path after it")
