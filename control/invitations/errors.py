"""What can go wrong with invitations."""

from uuid import UUID

from contracts.errors import Conflict, Forbidden, Invalid, NotFound, TooMany


class InvitationNotFound(NotFound):
    title = "Invitation not found"

    def __init__(self, invitation_id: UUID) -> None:
        super().__init__(f"no invitation {invitation_id}")


class InvitationVoid(NotFound):
    """The same words whether it was used, revoked, replaced, has expired or never was."""

    title = "Invitation not valid"

    def __init__(self) -> None:
        super().__init__("this invitation is not valid any more; ask whoever sent it for another")


class InvitedSomebodyElse(Forbidden):
    title = "Invitation for somebody else"

    def __init__(self, invited: str, email: str) -> None:
        super().__init__(f"this invitation is for {invited}, and you are signed in as {email}")


class InviteeUnfit(Invalid):
    title = "E-mail address unfit"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email!r} is not an e-mail address")


class DomainRefused(Forbidden):
    title = "Address not allowed"

    def __init__(self, email: str, domains: list[str]) -> None:
        super().__init__(f"this organization takes in people of {', '.join(domains)} only, and {email} is not one")


class TooManyInvitations(Conflict):
    title = "Too many invitations"

    def __init__(self, most: int) -> None:
        super().__init__(f"an organization has at most {most} invitations waiting; revoke some first")


class TooManySent(TooMany):
    title = "Too many invitations today"

    def __init__(self, most: int) -> None:
        super().__init__(f"an organization sends at most {most} invitations a day (UTC); go on tomorrow", retry_after_s=3600)


class SentJustNow(TooMany):
    title = "Sent a moment ago"

    def __init__(self) -> None:
        super().__init__("this invitation was sent less than a minute ago", retry_after_s=60)
