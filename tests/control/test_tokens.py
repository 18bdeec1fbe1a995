"""Access tokens that must not be believed."""

import base64
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from httpx import AsyncClient
from joserfc.jwk import RSAKey

from contracts.errors import Unauthenticated
from control.identity import tokens
from control.identity.tokens import CLOCK_SKEW_S
from tests.control.conftest import SECRET, Account


def issue(**changes: Any) -> str:
    """A token like ours, signed with our key, but for `changes`."""
    claims = jwt.decode(tokens.issue_access_token(uuid4(), uuid4(), SECRET, time.time(), 60), options={"verify_signature": False})
    key = tokens.derived_key(SECRET, "access-token")
    kept = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(kept, key, "HS256")


def unsigned() -> str:
    header, payload, _ = issue().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{header}.{payload}."


def altered() -> str:
    header, payload, signature = issue().split(".")
    return f"{header}.{payload[:-2]}{'AA' if payload[-2:] != 'AA' else 'BB'}.{signature}"


DISTRUSTED = {
    "expired": lambda: tokens.issue_access_token(uuid4(), uuid4(), SECRET, time.time() - 120, 60),
    "altered": altered,
    "unsigned": unsigned,
    "of another instance": lambda: tokens.issue_access_token(uuid4(), uuid4(), "another secret of some length", time.time(), 60),
    "issued in the future": lambda: issue(iat=int(time.time()) + 60),
    "good in the future": lambda: issue(nbf=int(time.time()) + 60),
    "by a key pair": lambda: jwt.encode({"sub": str(uuid4())}, RSAKey.generate_key(2048).as_pem(private=True), "RS256"),
    "of another issuer": lambda: issue(iss="somebody"),
    "for another audience": lambda: issue(aud="something"),
    "without expiry": lambda: issue(exp=None),
    "without session": lambda: issue(sid=None),
    "without person": lambda: issue(sub=None),
    "of a person that is no id": lambda: issue(sub="root"),
    "empty": lambda: "",
    "noise": lambda: "not.a.token",
}


@pytest.mark.parametrize("kind", DISTRUSTED)
async def test_a_distrusted_token_is_refused(client: AsyncClient, kind: str):
    answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {DISTRUSTED[kind]()}"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_good_token_of_a_session_that_never_was_is_refused(client: AsyncClient):
    answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {issue()}"})
    assert answer.status_code == 401


async def test_clocks_of_control_processes_may_differ_a_little(client: AsyncClient, account: Account):
    claims = jwt.decode(account.access_token, options={"verify_signature": False})
    now = int(time.time())
    statuses: dict[str, int] = {}
    for name, change in {
        "as we": {},
        "a little ahead": {"iat": now + CLOCK_SKEW_S - 5},
        "a little behind": {"iat": now - 60, "exp": now},
        "far ahead": {"iat": now + 60 + CLOCK_SKEW_S, "exp": now + 120},
        "far behind": {"iat": now - 60, "exp": now - 1 - CLOCK_SKEW_S},
    }.items():
        token = issue(sub=claims["sub"], sid=claims["sid"], **change)
        statuses[name] = (await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})).status_code
    assert statuses == {"as we": 200, "a little ahead": 200, "a little behind": 200, "far ahead": 401, "far behind": 401}


async def test_another_scheme_is_no_login(client: AsyncClient, account: Account):
    answer = await client.get("/api/v1/me", headers={"Authorization": f"Basic {account.access_token}"})
    assert answer.status_code == 401


def test_a_csrf_token_belongs_to_one_session_and_one_instance():
    session = uuid4()
    found = {tokens.csrf_token(session, SECRET), tokens.csrf_token(uuid4(), SECRET), tokens.csrf_token(session, "x" * 20)}
    assert len(found) == 3


def test_a_csrf_token_is_no_access_token():
    with pytest.raises(Unauthenticated):
        tokens.read_access_token(tokens.csrf_token(uuid4(), SECRET), SECRET)
