"""A second factor: set up, asked for at login, guessed at, recovered from, removed."""

import time
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from httpx import AsyncClient, Response
from litestar import Litestar
from pyotp.totp import TOTP

from control.identity.second_factor import PURPOSE, RECOVERY_CODES, STEP_S, matching_step
from control.identity.throttle import FREE_FAILURES
from control.sealing import Unreadable, seal, unseal
from tests.control.conftest import PASSWORD, SECRET, Account

FACTOR = "/api/v1/me/second-factor"


async def set_up(account: Account) -> tuple[str, list[str]]:
    """The authenticator's secret and the recovery codes; the code of one step ago is used up."""
    secret = (await account.client.post(FACTOR, json={"password": PASSWORD})).json()["secret"]
    codes = (await account.client.post(f"{FACTOR}/confirm", json={"code": code(secret, -1)})).json()["codes"]
    return secret, codes


def code(secret: str, step: int = 0) -> str:
    return TOTP(secret).at(int(time.time()) + step * STEP_S)


async def log_in(client: AsyncClient, account: Account, **more: Any) -> Response:
    return await client.post("/api/v1/auth/login", json={"email": account.email, "password": PASSWORD} | more)


def problem(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_an_authenticator_is_set_up_by_picture_or_by_hand(account: Account):
    new = (await account.client.post(FACTOR, json={"password": PASSWORD})).json()
    assert new["uri"].startswith("otpauth://totp/Headrace:")
    assert f"secret={new['secret']}" in new["uri"]
    assert new["qr"].startswith("data:image/svg+xml")


async def test_nothing_changes_until_a_code_is_confirmed(client: AsyncClient, account: Account):
    secret = (await account.client.post(FACTOR, json={"password": PASSWORD})).json()["secret"]
    wrong = "000000" if matching_step(secret, "000000", time.time()) is None else "111111"
    assert problem(await account.client.post(f"{FACTOR}/confirm", json={"code": wrong})) == (403, "SecondFactorWrong")
    assert (await log_in(client, account)).status_code == 200
    assert (await account.client.get("/api/v1/me")).json()["has_second_factor"] is False


async def test_a_login_needs_a_code_from_then_on(client: AsyncClient, account: Account):
    secret, _ = await set_up(account)
    assert (await account.client.get("/api/v1/me")).json()["has_second_factor"] is True
    assert problem(await log_in(client, account)) == (401, "SecondFactorNeeded")
    assert problem(await log_in(client, account, password="another one", code=code(secret))) == (401, "LoginRefused")
    assert (await log_in(client, account, code=f" {code(secret)[:3]} {code(secret)[3:]}")).status_code == 200


async def test_a_code_is_good_once(client: AsyncClient, account: Account):
    secret, _ = await set_up(account)
    given = code(secret)
    assert (await log_in(client, account, code=given)).status_code == 200
    assert problem(await log_in(client, account, code=given)) == (403, "SecondFactorWrong")


async def test_guessing_codes_is_slowed_down(client: AsyncClient, account: Account):
    await set_up(account)
    answers = [await log_in(client, account, code="guess") for _ in range(FREE_FAILURES + 1)]
    assert [it.status_code for it in answers] == [403] * FREE_FAILURES + [429]


async def test_each_recovery_code_replaces_the_authenticator_once(client: AsyncClient, account: Account):
    _, codes = await set_up(account)
    assert len(set(codes)) == RECOVERY_CODES
    assert (await log_in(client, account, code=codes[0].upper().replace("-", " "))).status_code == 200
    assert problem(await log_in(client, account, code=codes[0])) == (403, "SecondFactorWrong")
    assert (await log_in(client, account, code=codes[1])).status_code == 200


async def test_a_factor_that_works_is_not_replaced_but_removed_first(client: AsyncClient, account: Account):
    _, codes = await set_up(account)
    begin = {"password": PASSWORD}
    assert problem(await account.client.post(FACTOR, json=begin)) == (409, "SecondFactorExists")
    wrong = {"password": PASSWORD, "code": "guess"}
    assert problem(await account.client.post(f"{FACTOR}/remove", json=wrong)) == (403, "SecondFactorWrong")
    assert (await account.client.post(f"{FACTOR}/remove", json=wrong | {"code": codes[0]})).status_code == 204
    assert (await log_in(client, account)).status_code == 200
    assert (await account.client.post(FACTOR, json=begin)).status_code == 201


async def test_new_recovery_codes_end_the_old_ones_and_are_in_the_audit_log(client: AsyncClient, account: Account):
    secret, old = await set_up(account)
    answer = await account.client.post(f"{FACTOR}/recovery-codes", json={"password": PASSWORD, "code": code(secret)})
    assert len(set(answer.json()["codes"]) - set(old)) == RECOVERY_CODES
    assert problem(await log_in(client, account, code=old[0])) == (403, "SecondFactorWrong")
    assert (await log_in(client, account, code=answer.json()["codes"][0])).status_code == 200
    entries = await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit")
    actions = {it["action"]: it["after"] for it in entries.json()["items"]}
    assert actions["account.replace_recovery_codes"] is None


async def test_recovery_codes_take_a_second_factor_and_its_code(account: Account):
    path = f"{FACTOR}/recovery-codes"
    none = await account.client.post(path, json={"password": PASSWORD, "code": "123456"})
    assert problem(none) == (409, "SecondFactorMissing")
    _, codes = await set_up(account)
    wrong = await account.client.post(path, json={"password": PASSWORD, "code": "guess"})
    assert problem(wrong) == (403, "SecondFactorWrong")
    assert (await account.client.post(path, json={"password": PASSWORD, "code": codes[0]})).status_code == 200


async def test_a_right_password_does_not_let_codes_be_guessed_on(account: Account):
    await set_up(account)
    guess = {"password": PASSWORD, "code": "guess"}
    answers = [await account.client.post(f"{FACTOR}/remove", json=guess) for _ in range(FREE_FAILURES + 1)]
    assert [it.status_code for it in answers] == [403] * FREE_FAILURES + [429]


@pytest.mark.parametrize(("path", "more"), [("", {}), ("/remove", {"code": "123456"}), ("/recovery-codes", {"code": "123456"})])
async def test_a_screen_left_open_is_not_enough(account: Account, path: str, more: dict[str, str]):
    answer = await account.client.post(f"{FACTOR}{path}", json={"password": "a guess"} | more)
    assert problem(answer) == (403, "PasswordWrong")


async def test_secrets_and_recovery_codes_are_not_readable_in_the_database(app: Litestar, account: Account):
    secret, codes = await set_up(account)
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        stored = await connection.fetchval("SELECT sealed_secret FROM second_factors WHERE user_id = $1", account.user_id)
        digests = await connection.fetch("SELECT sha256 FROM recovery_codes WHERE user_id = $1", account.user_id)
    assert secret.encode() not in stored
    assert unseal(stored, PURPOSE, account.user_id, SECRET) == secret
    assert all(codes[0].encode() not in row["sha256"] for row in digests)


async def test_with_another_secret_of_the_instance_recovery_codes_still_let_in(
    app: Litestar, client: AsyncClient, account: Account
):
    secret, codes = await set_up(account)
    changed = msgspec.structs.replace(app.state.settings, secret="another secret of the instance")
    app.state.resources = msgspec.structs.replace(app.state.resources, settings=changed)
    assert problem(await log_in(client, account, code=code(secret))) == (403, "SecondFactorWrong")
    assert (await log_in(client, account, code=codes[0])).status_code == 200


def test_a_sealed_secret_is_of_no_use_elsewhere():
    ada, eve = uuid4(), uuid4()
    sealed = seal("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", PURPOSE, ada, SECRET)
    for purpose, whose, instance_secret in ((PURPOSE, eve, SECRET), (PURPOSE, ada, SECRET + "another"), ("other", ada, SECRET)):
        with pytest.raises(Unreadable):
            unseal(sealed, purpose, whose, instance_secret)


@pytest.mark.parametrize(("off_s", "matches"), [(0, True), (-30, True), (30, True), (-61, False), (60, False)])
def test_clocks_may_be_a_little_off(off_s: int, matches: bool):
    now = 1_800_000_000  # the start of a step
    found = matching_step("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").at(now + off_s), now)
    assert (found is not None) is matches
