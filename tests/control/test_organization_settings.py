"""What an organization decides for itself: whom it lets in and how, how long its log is kept, where alerts go."""

import asyncio
import socket
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar

from contracts.retention import RETENTION_KEY
from control.organizations.errors import WebhookUnfit
from control.organizations.settings import check_webhook, publish_retentions
from control.resources import Resources
from tests.control.conftest import Account

WEBHOOK = "https://hooks.slack.com/services/T000/B000/s3cr3tabcd"
DEFAULTS = {
    "default_role": "developer",
    "email_domains": [],
    "log_retention_days": None,
    "alert_emails": [],
    "slack_webhook": None,
}


def settings_of(account: Account) -> str:
    return f"/api/v1/organizations/{account.organization_id}/settings"


async def change(account: Account, **what: Any) -> dict[str, Any]:
    answer = await account.client.patch(settings_of(account), json=what)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def invite(account: Account, email: str, **more: str) -> Any:
    path = f"/api/v1/organizations/{account.organization_id}/invitations"
    return await account.client.post(path, json={"emails": [email], **more})


async def test_settings_are_changed_one_by_one(account: Account):
    assert (await account.client.get(settings_of(account))).json() == DEFAULTS
    await change(account, default_role="viewer")
    emails = [" Ops@Example.com", "ops@example.com"]
    after = await change(account, email_domains=["example.com"], log_retention_days=7, alert_emails=emails)
    assert after == DEFAULTS | {
        "default_role": "viewer",
        "email_domains": ["example.com"],
        "log_retention_days": 7,
        "alert_emails": ["ops@example.com"],
    }
    assert (await change(account, log_retention_days=None))["log_retention_days"] is None


async def test_changes_at_once_lose_nothing_of_each_other(account: Account):
    some = {"default_role": "viewer", "log_retention_days": 7}
    await asyncio.gather(*[change(account, **{name: value}) for name, value in some.items()])
    assert (await account.client.get(settings_of(account))).json() == DEFAULTS | some


async def test_a_short_webhook_is_not_shown_by_its_end(account: Account):
    assert (await change(account, slack_webhook="https://chat.example.com/abcd"))["slack_webhook"] == "https://chat.example.com/…"


async def test_a_webhook_is_sealed_and_never_shown_again(account: Account, database: asyncpg.Connection):
    shown = await change(account, slack_webhook=WEBHOOK)
    assert shown["slack_webhook"] == "https://hooks.slack.com/…abcd"
    query = "SELECT sealed_slack_webhook FROM organizations WHERE id = $1"
    stored: Any = await database.fetchval(query, account.organization_id)
    assert b"s3cr3t" not in stored
    path = f"/api/v1/organizations/{account.organization_id}/audit"
    assert "s3cr3t" not in (await account.client.get(path)).text
    assert (await change(account, default_role="admin"))["slack_webhook"] == shown["slack_webhook"]
    assert (await change(account, slack_webhook=None))["slack_webhook"] is None


@pytest.mark.parametrize(
    "webhook",
    [
        "http://hooks.slack.com/services/x",
        "https://hooks.slack.com",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://127.0.0.0x1/x",
        "https://localhost./x",
        "https://[::1]/x",
        "https://postgres.internal/x",
        "https://user:password@hooks.slack.com/x",
        "https://hooks.slack.com:99999/x",
        "javascript:alert(1)",
        "",
    ],
)
async def test_a_webhook_leads_to_the_public_internet(account: Account, webhook: str):
    answer = await account.client.patch(settings_of(account), json={"slack_webhook": webhook})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (422, "WebhookUnfit")


@given(st.ip_addresses(v=4), st.lists(st.sampled_from(("d", "#o", "#x")), min_size=4, max_size=4), st.integers(1, 4))
def test_no_spelling_of_an_address_passes_for_a_name(address: IPv4Address, formats: list[str], parts: int):
    """As `inet_aton` reads them: each part decimal, octal or hexadecimal, the last one holding all that is left."""
    numbers = [*address.packed[: parts - 1], int.from_bytes(address.packed[parts - 1 :])]
    host = ".".join(format(number, it).replace("0o", "0") for number, it in zip(numbers, formats, strict=False))
    assert socket.inet_aton(host) == address.packed
    with pytest.raises(WebhookUnfit):
        check_webhook(f"https://{host}/services/x")


@given(st.text())
def test_whatever_else_is_a_webhook_or_none(text: str):
    for url in (text, f"https://{text}", f"https://hooks.{text}/x"):
        with suppress(WebhookUnfit):
            check_webhook(url)
            assert urlsplit(url).scheme == "https"


@pytest.mark.parametrize(
    "what",
    [
        {"default_role": "owner"},
        {"log_retention_days": 0},
        {"log_retention_days": 91},
        {"email_domains": ["EXAMPLE.com"]},
        {"email_domains": ["ex\u0430mple.com"]},
        {"email_domains": ["example.com\n"]},
        {"slack_webhook": "https://hooks.slack.com/services/x\r\nHost: elsewhere"},
        {"slack_webhook": "https://hooks.sl\u0430ck.com/services/x"},
        {"alert_emails": ["ops@example.com\r\nBcc: all@example.com"]},
        {"deleted_at": None},
        {"name": "other"},
    ],
)
async def test_what_does_not_fit_is_refused(account: Account, what: dict[str, Any]):
    assert (await account.client.patch(settings_of(account), json=what)).status_code in (400, 422)
    assert (await account.client.get(settings_of(account))).json() == DEFAULTS


async def test_only_people_of_the_organizations_domains_are_invited(account: Account):
    await change(account, email_domains=["example.com"], default_role="viewer")
    refused = await invite(account, "eve@evil-example.com")
    assert (refused.status_code, "example.com" in refused.json()["detail"]) == (403, True)
    assert (await invite(account, "eve@sub.example.com")).status_code == 403
    taken = await invite(account, "grace@EXAMPLE.com")
    assert taken.json()["sent"][0]["invitation"]["role"] == "viewer"
    assert (await invite(account, "mary@example.com", role="admin")).json()["sent"][0]["invitation"]["role"] == "admin"


async def test_an_invitation_of_before_lets_nobody_in_from_elsewhere(account: Account, stranger: Account):
    invited = await invite(account, stranger.email)
    token = invited.json()["sent"][0]["link"].partition("#")[2]
    await change(account, email_domains=["elsewhere.org"])
    answer = await stranger.client.post("/api/v1/invitations/accept", json={"token": token})
    assert (answer.status_code, answer.json()["title"]) == (403, "Address not allowed")
    path = f"/api/v1/organizations/{account.organization_id}/invitations"
    sent_again = await account.client.post(f"{path}/{invited.json()['sent'][0]['invitation']['id']}/resend")
    assert (sent_again.status_code, sent_again.json()["title"]) == (403, "Address not allowed")
    await change(account, email_domains=[])
    assert (await stranger.client.post("/api/v1/invitations/accept", json={"token": token})).is_success


async def test_telemetry_is_told_how_long_to_keep_requests(app: Litestar, account: Account, stranger: Account):
    resources: Resources = app.state.resources
    tell = partial(publish_retentions, resources.pool.across_tenants, resources.redis)
    read: Any = partial(resources.redis.hget, RETENTION_KEY, str(account.organization_id))
    await change(account, log_retention_days=7)
    await change(stranger, log_retention_days=30)
    await tell()
    assert await read() == b"7"
    await change(account, log_retention_days=None)
    await tell()
    assert await read() is None
    assert await resources.redis.hget(RETENTION_KEY, str(stranger.organization_id)) == b"30"
