"""What can go wrong with accounts and sessions."""

from uuid import UUID

from contracts.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class EmailTaken(Conflict):
    title = "E-mail address taken"

    def __init__(self, email: str) -> None:
        super().__init__(f"there is an account for {email} already; log in instead")


class RegistrationClosed(Forbidden):
    title = "Registration closed"

    def __init__(self) -> None:
        super().__init__("only people who were invited can make an account here; ask a colleague or the operator")


class DomainNotTaken(Forbidden):
    title = "E-mail domain not taken"

    def __init__(self, domains: list[str]) -> None:
        super().__init__(f"accounts here are for people with an address at {' or '.join(domains)}; ask to be invited")


class EmailUnconfirmed(Forbidden):
    """Whoever gets it has just been sent a link, unless that was done a moment ago."""

    title = "E-mail address to confirm"

    def __init__(self, email: str) -> None:
        self.email = email
        super().__init__(f"to confirm that {email} is yours, open the link that was sent to it; then log in")


class EmailUnfit(Invalid):
    title = "E-mail address unfit"


class PasswordUnfit(Invalid):
    title = "Password unfit"


class LoginRefused(Unauthenticated):
    """The same words whether the account or the password is wrong."""

    title = "Login refused"

    def __init__(self) -> None:
        super().__init__("no account has this e-mail address and password")


class RefreshRefused(Unauthenticated):
    title = "Session ended"

    def __init__(self) -> None:
        super().__init__("the refresh token is not valid any more; log in again")


class SessionNotFound(NotFound):
    title = "Session not found"

    def __init__(self, session_id: UUID) -> None:
        super().__init__(f"you have no live session {session_id}")


class PasswordWrong(Forbidden):
    title = "Password wrong"

    def __init__(self) -> None:
        super().__init__("the current password is wrong")


class PasswordMissing(Conflict):
    title = "Password missing"

    def __init__(self) -> None:
        super().__init__("this asks for your password, and you have none yet: set one by 'Forgot your password?' first")


class OwnerNeeded(Conflict):
    title = "Owner needed"

    def __init__(self, organization: str) -> None:
        super().__init__(f"only you own {organization}, and others belong to it: make one of them an owner first, or delete it")


class LinkVoid(Invalid):
    title = "Link void"

    def __init__(self) -> None:
        super().__init__("this link was used, has been replaced by a newer one, or is too old; ask for another")


class SecondFactorNeeded(Unauthenticated):
    title = "Second factor needed"

    def __init__(self) -> None:
        super().__init__("the password is right; log in with a code of your authenticator, or a recovery code, as `code`")


class SecondFactorWrong(Forbidden):
    title = "Second factor wrong"

    def __init__(self) -> None:
        super().__init__("this code is wrong, has been used or is too old; wait for the next one")


class SecondFactorExists(Conflict):
    title = "Second factor exists"

    def __init__(self) -> None:
        super().__init__("your account has a second factor; remove it first")


class SecondFactorMissing(Conflict):
    title = "Second factor missing"

    def __init__(self) -> None:
        super().__init__("there is no second factor to check codes of; begin with a new one")
