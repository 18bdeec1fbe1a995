"""What can go wrong with members."""

from uuid import UUID

from contracts.errors import Conflict, Forbidden, NotFound


class MemberNotFound(NotFound):
    title = "Member not found"

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"no member {user_id}")


class LastOwner(Conflict):
    title = "Last owner"

    def __init__(self) -> None:
        super().__init__("an organization needs an owner: make somebody else one first")


class OwnersOnly(Forbidden):
    title = "For owners only"

    def __init__(self) -> None:
        super().__init__("only an owner makes somebody an owner, or changes or removes one")


class OwnsAlready(Conflict):
    title = "Owner already"

    def __init__(self) -> None:
        super().__init__("you own this organization already; name somebody else")
