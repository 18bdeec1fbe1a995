"""What can go wrong with accounts and sessions."""

from contracts.errors import Conflict, Invalid, Unauthenticated


class EmailTaken(Conflict):
    title = "E-mail address taken"

    def __init__(self, email: str) -> None:
        super().__init__(f"there is an account for {email} already; log in instead")


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
