"""Routes of signing in by OpenID Connect, and of the logins elsewhere that open the caller's account.

The provider leads the browser back to a page of the console, which hands its answer on: so the cookies of a sign-in are as strict
as all others, and whatever goes wrong is a problem document on that page.
"""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from control import resources as opened
from control.access import check_origin
from control.audit.recording import Target, record_everywhere
from control.identity import account, queries, second_factor
from control.identity.devices import device_of
from control.identity.routes import answer
from control.identity.schemas import PasswordConfirmation
from control.identity.service import OpenSession
from control.injected import AcrossTenants, Origin, Principal, Resources
from control.oidc import identities, service, sign_in
from control.oidc.errors import SignInRefused
from control.oidc.provider import Claims
from control.oidc.schemas import Begun, Identities, Identity, NewIdentity, ProviderAnswer, SignedIn, SignInCode
from control.oidc.sign_in import Pending, SignIn

AnyRequest = Request[Any, Any, Any]


@post("/auth/oidc/{provider:str}/start", operation_id="startSignIn", tags=["Accounts"], public=True, status_code=HTTP_200_OK)
async def start_sign_in(provider: FromPath[str], request: AnyRequest, resources: Resources) -> Response[Begun]:
    """Begin to sign in at a provider: where the browser goes next."""
    check_origin(request.headers, resources.settings)
    return await _begin(resources, SignIn(provider, None))


@post("/auth/oidc/finish", operation_id="finishSignIn", tags=["Accounts"], public=True, status_code=HTTP_200_OK)
async def finish_sign_in(
    data: JSONBody[ProviderAnswer], request: AnyRequest, resources: Resources, origin: Origin
) -> Response[SignedIn]:
    """Finish what was begun in this browser, with the provider's answer: it is good once."""
    settings = resources.settings
    check_origin(request.headers, settings)
    begun = sign_in.read(request.cookies.get(sign_in.cookie_name(settings)), SignIn, settings.secret)
    sign_in.check_state(begun, data.state)
    claims = await _ask(resources, begun, data.code)
    provider = resources.providers.get(begun.provider).settings
    async with resources.pool.across_tenants.transaction() as connection:
        if begun.link_to is not None:
            await service.link(connection, begun.link_to, provider, claims, origin)
            return Response(SignedIn("linked"), cookies=[sign_in.cookie(settings, None)])
        user = (await service.enter(connection, settings, provider, claims, origin)).user
        if await service.has_second_factor(connection, user.id, settings):
            return Response(SignedIn("second_factor"), cookies=[sign_in.cookie(settings, Pending(user.id))])
        return _signed_in(resources, await service.open_session(connection, settings, user, device_of(request), origin))


@post("/auth/oidc/second-factor", operation_id="finishSignInWithCode", tags=["Accounts"], public=True, status_code=HTTP_200_OK)
async def finish_with_code(
    data: JSONBody[SignInCode], request: AnyRequest, resources: Resources, origin: Origin
) -> Response[SignedIn]:
    """The second factor of an account that has one, after its provider has said who this is."""
    settings = resources.settings
    check_origin(request.headers, settings)
    pending = sign_in.read(request.cookies.get(sign_in.cookie_name(settings)), Pending, settings.secret)
    across = resources.pool.across_tenants
    user = await across.run(lambda connection: queries.find_user(connection, pending.user_id))
    async with resources.throttle.attempt(user.email, origin), across.transaction() as connection:
        await second_factor.check(connection, user.id, data.code, settings.secret)
        session = await service.open_session(connection, settings, user, device_of(request), origin)
    return _signed_in(resources, session)


@get("/me/identities", operation_id="listIdentities", tags=["Accounts"], permission="account")
async def list_identities(principal: Principal, resources: Resources, across_tenants: AcrossTenants) -> Identities:
    """Logins elsewhere that open the caller's account."""
    rows = await identities.list_identities(across_tenants, principal.user_id)
    label_of = resources.providers.label_of
    return Identities(
        [Identity(it["id"], label_of(it["issuer"]), it["email"], it["linked_at"], it["last_used_at"]) for it in rows]
    )


@post("/me/identities", operation_id="linkIdentity", tags=["Accounts"], permission="account", status_code=HTTP_200_OK)
async def link_identity(
    data: JSONBody[NewIdentity], principal: Principal, resources: Resources, origin: Origin
) -> Response[Begun]:
    """Begin to link a login elsewhere to the caller's account: where the browser goes next."""
    await _confirm(data.password, principal, resources, origin)
    return await _begin(resources, SignIn(data.provider, principal.user_id))


@post(
    "/me/identities/{identity_id:uuid}/remove",
    operation_id="removeIdentity",
    tags=["Accounts"],
    permission="account",
    status_code=HTTP_204_NO_CONTENT,
)
async def remove_identity(
    identity_id: FromPath[UUID],
    data: JSONBody[PasswordConfirmation],
    principal: Principal,
    resources: Resources,
    origin: Origin,
) -> None:
    """Let a login elsewhere open the account no more. It takes the password, so it is never the last way in."""
    await _confirm(data.password, principal, resources, origin)
    async with resources.pool.across_tenants.transaction() as connection:
        issuer = await identities.delete_identity(connection, principal.user_id, identity_id)
        target = Target(principal.user_id, resources.providers.label_of(issuer))
        await record_everywhere(connection, principal.user_id, origin, "account.unlink_sign_in", target)


async def _begin(resources: opened.Resources, begun: SignIn) -> Response[Begun]:
    settings, provider = resources.settings, resources.providers.get(begun.provider)
    url = await provider.authorization_url(sign_in.redirect_uri(settings), begun.state, begun.nonce, begun.verifier)
    return Response(Begun(url), cookies=[sign_in.cookie(settings, begun)])


async def _ask(resources: opened.Resources, begun: SignIn, code: str | None) -> Claims:
    """Who the provider says this is. Raises SignInLapsed the second time, SignInRefused without a code."""
    provider = resources.providers.get(begun.provider)
    await resources.pool.across_tenants.run(lambda connection: sign_in.use(connection, begun))
    if code is None:
        raise SignInRefused(provider.settings.label)
    return await provider.claims(code, sign_in.redirect_uri(resources.settings), begun.nonce, begun.verifier)


def _signed_in(resources: opened.Resources, session: OpenSession) -> Response[SignedIn]:
    """The same cookies as of a login by password, and the sign-in's own forgotten."""
    settings = resources.settings
    given = answer(session, settings)
    return Response(SignedIn("session", given.content), cookies=[*given.cookies, sign_in.cookie(settings, None)])


async def _confirm(password: str, principal: Principal, resources: opened.Resources, origin: Origin) -> None:
    across = resources.pool.across_tenants
    async with account.confirmed(across, resources.passwords, resources.throttle, principal.user_id, password, origin):
        return


HANDLERS: Final[list[HTTPRouteHandler]] = [
    start_sign_in,
    finish_sign_in,
    finish_with_code,
    list_identities,
    link_identity,
    remove_identity,
]
