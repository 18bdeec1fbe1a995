"""Routes about the caller's second factor."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import segno
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from pyotp.totp import TOTP

from control.audit.recording import Target, record_everywhere
from control.database import Connection
from control.identity import account, second_factor
from control.identity.schemas import (
    BothFactors,
    NewSecondFactor,
    PasswordConfirmation,
    RecoveryCodes,
    SecondFactorCode,
)
from control.injected import Origin, Principal, Resources


@post("/me/second-factor", operation_id="beginSecondFactor", tags=["Accounts"], permission="account")
async def begin_second_factor(
    data: JSONBody[PasswordConfirmation], principal: Principal, resources: Resources, origin: Origin
) -> NewSecondFactor:
    """Make a secret for an authenticator app. Nothing changes until its code is confirmed."""
    across = resources.pool.across_tenants
    async with account.confirmed(
        across, resources.passwords, resources.throttle, principal.user_id, data.password, origin
    ) as owner:
        secret = await across.run(lambda it: second_factor.begin(it, principal.user_id, resources.settings.secret))
    uri = TOTP(secret).provisioning_uri(name=owner.user.email, issuer_name="Headrace")
    return NewSecondFactor(secret, uri, segno.make(uri, error="m").svg_data_uri(scale=4, border=4, light="white"))


@post(
    "/me/second-factor/confirm",
    operation_id="confirmSecondFactor",
    tags=["Accounts"],
    permission="account",
    status_code=HTTP_200_OK,
)
async def confirm_second_factor(
    data: JSONBody[SecondFactorCode], principal: Principal, resources: Resources, origin: Origin
) -> RecoveryCodes:
    """Ask for a code at every login from now on. The recovery codes are shown this once."""
    async with resources.pool.across_tenants.transaction() as connection:
        codes = await second_factor.confirm(connection, principal.user_id, data.code, resources.settings.secret)
        target = Target(principal.user_id, "second factor")
        await record_everywhere(connection, principal.user_id, origin, "account.add_second_factor", target)
    return RecoveryCodes(codes)


@post(
    "/me/second-factor/remove",
    operation_id="removeSecondFactor",
    tags=["Accounts"],
    permission="account",
    status_code=HTTP_204_NO_CONTENT,
)
async def remove_second_factor(data: JSONBody[BothFactors], principal: Principal, resources: Resources, origin: Origin) -> None:
    """Log in by password alone from now on. Takes a code of the authenticator or a recovery code, too."""
    async with _proven(data, principal, resources, origin) as connection:
        await second_factor.remove(connection, principal.user_id)
        target = Target(principal.user_id, "second factor")
        await record_everywhere(connection, principal.user_id, origin, "account.remove_second_factor", target)


@post(
    "/me/second-factor/recovery-codes",
    operation_id="replaceRecoveryCodes",
    tags=["Accounts"],
    permission="account",
    status_code=HTTP_200_OK,
)
async def replace_recovery_codes(
    data: JSONBody[BothFactors], principal: Principal, resources: Resources, origin: Origin
) -> RecoveryCodes:
    """New recovery codes, shown this once; those given out before are refused from now on."""
    async with _proven(data, principal, resources, origin) as connection:
        codes = await second_factor.replace_recovery_codes(connection, principal.user_id)
        target = Target(principal.user_id, "recovery codes")
        await record_everywhere(connection, principal.user_id, origin, "account.replace_recovery_codes", target)
    return RecoveryCodes(codes)


@asynccontextmanager
async def _proven(given: BothFactors, principal: Principal, resources: Resources, origin: Origin) -> AsyncGenerator[Connection]:
    """A transaction for who has shown both factors. Raises PasswordWrong, SecondFactorWrong; LoginThrottled after several."""
    across = resources.pool.across_tenants
    async with (
        account.confirmed(across, resources.passwords, resources.throttle, principal.user_id, given.password, origin),
        across.transaction() as connection,
    ):
        await second_factor.check(connection, principal.user_id, given.code, resources.settings.secret)
        yield connection


HANDLERS: Final[list[HTTPRouteHandler]] = [
    begin_second_factor,
    confirm_second_factor,
    remove_second_factor,
    replace_recovery_codes,
]
