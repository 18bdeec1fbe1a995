"""Who may make an account here: everybody, people of some e-mail domains, people who were invited, or nobody."""

from contracts.settings import ControlSettings
from control.identity.errors import DomainNotTaken, RegistrationClosed


def check_may_register(settings: ControlSettings, email: str) -> None:
    """For somebody not invited, by the one spelling of their address. Raises RegistrationClosed or DomainNotTaken."""
    if settings.registration != "open":
        raise RegistrationClosed
    domains = settings.signup_domains()
    if domains and email.rpartition("@")[2] not in domains:
        raise DomainNotTaken(domains)


def check_invited_may_register(settings: ControlSettings) -> None:
    """For somebody who was invited, whatever their domain. Raises RegistrationClosed."""
    if settings.registration == "closed":
        raise RegistrationClosed


def must_confirm(settings: ControlSettings) -> bool:
    """Whether addresses are confirmed before the first login: a limit to domains means nothing to who types any address."""
    return bool(settings.signup_domains())
