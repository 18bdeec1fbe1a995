"""A second factor: the six digits of an authenticator (TOTP, RFC 6238), or one of the recovery codes.

The authenticator's secret is sealed at rest with a key of the instance's secret; a code is good once, and recovery codes are kept
as digests.
"""

import hashlib
import hmac
import secrets
import time
from base64 import b32encode
from contextlib import suppress
from typing import Final, LiteralString
from uuid import UUID

from pyotp import random_base32
from pyotp.totp import TOTP

from control.database import Connection
from control.identity.errors import SecondFactorExists, SecondFactorMissing, SecondFactorNeeded, SecondFactorWrong
from control.sealing import Unreadable, seal, unseal

STEP_S: Final = 30
DRIFT_STEPS: Final = 1
"""How far an authenticator's clock may be off, either way."""
RECOVERY_CODES: Final = 10
RECOVERY_CODE_BYTES: Final = 10
PURPOSE: Final = "second-factor"

PUT_FACTOR: Final[LiteralString] = """
    INSERT INTO second_factors (user_id, sealed_secret)
    VALUES ($1, $2)
    ON CONFLICT (user_id) DO UPDATE
    SET sealed_secret = excluded.sealed_secret, last_step = 0
    WHERE second_factors.confirmed_at IS NULL
    RETURNING true
"""


async def begin(connection: Connection, user_id: UUID, instance_secret: str) -> str:
    """A new secret for the person's authenticator, in base32. Raises SecondFactorExists if they have one that works."""
    secret = random_base32()
    if not await connection.fetchval(PUT_FACTOR, user_id, seal(secret, PURPOSE, user_id, instance_secret)):
        raise SecondFactorExists
    return secret


FIND_FACTOR: Final[LiteralString] = """
    SELECT sealed_secret, last_step, confirmed_at IS NOT NULL AS is_confirmed
    FROM second_factors
    WHERE user_id = $1
"""

USE_STEP: Final[LiteralString] = """
    UPDATE second_factors
    SET last_step = $2, confirmed_at = coalesce(confirmed_at, now())
    WHERE user_id = $1
      AND last_step < $2
    RETURNING true
"""


async def confirm(connection: Connection, user_id: UUID, code: str, instance_secret: str) -> list[str]:
    """Turn the factor on, now that the authenticator shows its codes; the answer is the recovery codes.

    Raises SecondFactorWrong, or SecondFactorMissing if none was begun.
    """
    row = await connection.fetchrow(FIND_FACTOR, user_id)
    if row is None:
        raise SecondFactorMissing
    if row["is_confirmed"]:
        raise SecondFactorExists
    if not await _use_code(connection, user_id, _unsealed(row["sealed_secret"], user_id, instance_secret), code):
        raise SecondFactorWrong
    return await replace_recovery_codes(connection, user_id)


LOCK_FACTOR: Final[LiteralString] = """
    SELECT true
    FROM second_factors
    WHERE user_id = $1
      AND confirmed_at IS NOT NULL
    FOR UPDATE
"""

DELETE_RECOVERY_CODES: Final[LiteralString] = """
    DELETE FROM recovery_codes
    WHERE user_id = $1
"""

INSERT_RECOVERY_CODE: Final[LiteralString] = """
    INSERT INTO recovery_codes (user_id, sha256)
    VALUES ($1, $2)
"""


async def replace_recovery_codes(connection: Connection, user_id: UUID) -> list[str]:
    """New codes; those given out before are good no more. Raises SecondFactorMissing if there is no factor that works."""
    if not await connection.fetchval(LOCK_FACTOR, user_id):
        raise SecondFactorMissing
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    await connection.execute(DELETE_RECOVERY_CODES, user_id)
    await connection.executemany(INSERT_RECOVERY_CODE, [(user_id, recovery_digest(it)) for it in codes])
    return codes


USE_RECOVERY_CODE: Final[LiteralString] = """
    DELETE FROM recovery_codes
    WHERE user_id = $1
      AND sha256 = $2
    RETURNING true
"""


async def check(connection: Connection, user_id: UUID, code: str | None, instance_secret: str) -> None:
    """Let a person pass who has no factor, or whose code is right, and use it up.

    Raises SecondFactorNeeded without a code, SecondFactorWrong. If the instance's secret is another by now, recovery codes alone
    are right.
    """
    row = await connection.fetchrow(FIND_FACTOR, user_id)
    if row is None or not row["is_confirmed"]:
        return
    if code is None:
        raise SecondFactorNeeded
    with suppress(SecondFactorMissing):
        if await _use_code(connection, user_id, _unsealed(row["sealed_secret"], user_id, instance_secret), code):
            return
    if not await connection.fetchval(USE_RECOVERY_CODE, user_id, recovery_digest(code)):
        raise SecondFactorWrong


DELETE_FACTOR: Final[LiteralString] = """
    DELETE FROM second_factors
    WHERE user_id = $1
"""


async def remove(connection: Connection, user_id: UUID) -> None:
    """Turn the factor off and forget its recovery codes."""
    await connection.execute(DELETE_FACTOR, user_id)


async def _use_code(connection: Connection, user_id: UUID, secret: str, code: str) -> bool:
    step = matching_step(secret, code, time.time())
    return step is not None and bool(await connection.fetchval(USE_STEP, user_id, step))


def matching_step(secret: str, code: str, now: float) -> int | None:
    """The step of 30 s, counted from the epoch, whose code this is; None if it is of none about `now`."""
    current, given = int(now) // STEP_S, "".join(code.split()).encode()
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if hmac.compare_digest(TOTP(secret).at(step * STEP_S).encode(), given):
            return step
    return None


def _unsealed(sealed: bytes, user_id: UUID, instance_secret: str) -> str:
    """Raises SecondFactorMissing if it was sealed with another instance's secret."""
    try:
        return unseal(sealed, PURPOSE, user_id, instance_secret)
    except Unreadable as error:
        raise SecondFactorMissing from error


def new_recovery_code() -> str:
    """80 random bits, as four groups of letters and digits."""
    text = b32encode(secrets.token_bytes(RECOVERY_CODE_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def recovery_digest(code: str) -> bytes:
    """What the database keeps of a recovery code, however it was typed."""
    return hashlib.sha256("".join(filter(str.isalnum, code.lower())).encode()).digest()
