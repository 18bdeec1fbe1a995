"""What can go wrong on the way over a provider; each is a sentence that the login page shows."""

from contracts.errors import Conflict, Forbidden, NotFound, Overloaded, Unauthenticated


class ProviderNotFound(NotFound):
    title = "Sign-in provider not found"

    def __init__(self, name: str) -> None:
        super().__init__(f"nobody can sign in here by {name!r}")


class ProviderUnavailable(Overloaded):
    """It does not answer, or not as OpenID Connect says. What it did say stands in the log."""

    title = "Sign-in provider unavailable"

    def __init__(self, label: str) -> None:
        super().__init__(f"{label} cannot be asked who you are at the moment; try again, or log in by password")


class TooManySignIns(Overloaded):
    title = "Too many sign-ins at once"

    def __init__(self) -> None:
        super().__init__("too many people are signing in at once; try again", retry_after_s=5)


class SignInLapsed(Unauthenticated):
    """No sign-in was begun in this browser, it took too long, was finished before, or its answer is another's."""

    title = "Sign-in lapsed"

    def __init__(self) -> None:
        super().__init__("this sign-in was not begun here, took too long or was finished before; begin again")


class SignInRefused(Unauthenticated):
    """The provider refused, or what it says does not hold."""

    title = "Sign-in refused"

    def __init__(self, label: str) -> None:
        super().__init__(f"{label} did not confirm who you are; begin again")


class EmailUnproven(Forbidden):
    title = "E-mail address unproven"

    def __init__(self, label: str) -> None:
        super().__init__(f"{label} does not vouch for your e-mail address; confirm it there, or log in by password")


class OwnerUnproven(Forbidden):
    """Somebody else may have made the account, to be in it once its true owner comes."""

    title = "Account not confirmed"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"there is an account for {email} whose address was never confirmed; "
            "set a new password by 'Forgot your password?' first, then sign in again"
        )


class IdentityTaken(Conflict):
    title = "Sign-in taken"

    def __init__(self, label: str) -> None:
        super().__init__(f"your account is linked to {label} already, or that login at {label} to another account")


class IdentityNotFound(NotFound):
    title = "Linked sign-in not found"

    def __init__(self) -> None:
        super().__init__("your account has no such linked sign-in")
