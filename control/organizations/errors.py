"""What can go wrong with organizations."""

from contracts.errors import Conflict


class SlugTaken(Conflict):
    title = "Address taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"another organization has the address {slug!r}")


class TooManyOrganizations(Conflict):
    title = "Too many organizations"

    def __init__(self, most: int) -> None:
        super().__init__(f"one person owns at most {most} organizations")
