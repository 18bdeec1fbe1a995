"""What a login at a provider does here: it opens the account it is linked to, or one is linked or made, if that is safe."""

from typing import Final
from uuid import UUID

from contracts.settings import ControlSettings, OidcProvider
from control.audit.recording import Origin, Target, record_everywhere
from control.database import Connection
from control.identity import queries, second_factor, service, sessions
from control.identity.errors import SecondFactorNeeded
from control.identity.queries import Account
from control.identity.registration import check_invited_may_register, check_may_register
from control.identity.schemas import Device, User
from control.names import NameUnfit, normalised
from control.oidc import identities
from control.oidc.errors import EmailUnproven, OwnerUnproven
from control.oidc.provider import Claims

LONGEST_NAME: Final = 64


async def enter(
    connection: Connection, settings: ControlSettings, provider: OidcProvider, claims: Claims, origin: Origin
) -> Account:
    """The account that a login at `provider` opens, linked or made if it was not there.

    Raises EmailUnproven, or OwnerUnproven where an account has the address without having shown that it owns it;
    RegistrationClosed or DomainNotTaken where it would be made.
    """
    known = await identities.use_identity(connection, provider.issuer, claims.sub)
    if known is not None:
        return known
    email = proven_email(claims, provider.label)
    account = await queries.find_account(connection, email)
    if account is None:
        account = await _make(connection, settings, claims, email, origin)
    elif not account.is_verified:
        raise OwnerUnproven(email)
    await link(connection, account.user.id, provider, claims, origin, is_used=True)
    return account


async def link(
    connection: Connection, user_id: UUID, provider: OidcProvider, claims: Claims, origin: Origin, is_used: bool = False
) -> None:
    """Let a login at `provider` open the account from now on. Raises IdentityTaken."""
    await identities.insert_identity(connection, user_id, provider.issuer, claims.sub, claims.email, provider.label, is_used)
    await record_everywhere(connection, user_id, origin, "account.link_sign_in", Target(user_id, provider.label))


async def has_second_factor(connection: Connection, user_id: UUID, settings: ControlSettings) -> bool:
    """Whether the provider's word is not enough."""
    try:
        await second_factor.check(connection, user_id, None, settings.secret)
    except SecondFactorNeeded:
        return True
    return False


async def open_session(
    connection: Connection, settings: ControlSettings, user: User, device: Device, origin: Origin
) -> service.OpenSession:
    """A session of the console, as after a login by password."""
    await sessions.delete_expired_sessions(connection, user.id)
    opened = await service.open_session(connection, user, "cookie", settings.refresh_token_s, device)
    await record_everywhere(connection, user.id, origin, "account.login", Target(user.id, user.email))
    return opened


def proven_email(claims: Claims, label: str) -> str:
    """The one spelling of an address that the provider vouches for. Raises EmailUnproven or EmailUnfit."""
    if not claims.email or not claims.vouches_for_email:
        raise EmailUnproven(label)
    email = service.normalized_email(claims.email)
    service.check_email(email)
    return email


def fit_name(given: str | None, email: str) -> str:
    """What a person is called here: as the provider says, if that would do on the sign-up form, else by their address."""
    try:
        name = normalised(" ".join((given or "").split()))[:LONGEST_NAME].strip()
    except NameUnfit:
        name = ""
    return name or email.partition("@")[0][:LONGEST_NAME]


async def _make(connection: Connection, settings: ControlSettings, claims: Claims, email: str, origin: Origin) -> Account:
    if await identities.is_invited(connection, email):
        check_invited_may_register(settings)
    else:
        check_may_register(settings, email)
    user = await queries.insert_user(connection, email, fit_name(claims.name, email), None, is_verified=True)
    await service.settle(connection, user, origin, settings.secret)
    return Account(user, None, is_verified=True)
