"""What an organization has decided for itself: whom it lets in and how, how long its request log is kept, where alerts go.

The address of a Slack webhook lets whoever knows it write there: it is sealed, and never shown again whole.
"""

import re
from typing import Final, LiteralString
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import UNSET, structs
from redis.asyncio import Redis

from contracts.retention import GONE, LONGEST_KEPT, RETENTION_KEY
from control.audit.recording import Target, Who, record
from control.database import Connection, Database
from control.fields import unique
from control.identity.service import normalized_email
from control.members.queries import lock_organization
from control.organizations.errors import WebhookUnfit
from control.organizations.schemas import OrganizationSettings, SettingsPatch
from control.sealing import Unreadable, seal, unseal

PURPOSE: Final = "slack-webhook"
PUBLIC_NAME: Final = re.compile(r"([a-z0-9_-]+\.)+[a-z][a-z0-9-]*")
"""Of a server, in plain letters. No address passes for one: the last part of any begins with a digit, in `127.0x1` too."""
SHOWN: Final = 4
"""Letters at its end by which people tell one webhook from another."""

READ_SETTINGS: Final[LiteralString] = """
    SELECT default_role, email_domains, log_retention_days, alert_emails, sealed_slack_webhook
    FROM organizations
    WHERE id = $1
"""


async def read_settings(connection: Connection, organization_id: UUID, instance_secret: str) -> OrganizationSettings:
    """With the webhook masked."""
    row = await connection.fetchrow(READ_SETTINGS, organization_id)
    assert row is not None
    columns = dict(row)
    sealed: bytes | None = columns.pop("sealed_slack_webhook")
    return OrganizationSettings(slack_webhook=masked(sealed, organization_id, instance_secret), **columns)


UPDATE_SETTINGS: Final[LiteralString] = """
    UPDATE organizations
    SET default_role = $2,
        email_domains = $3,
        log_retention_days = $4,
        alert_emails = $5
    WHERE id = $1
"""
SET_WEBHOOK: Final[LiteralString] = """
    UPDATE organizations
    SET sealed_slack_webhook = $2
    WHERE id = $1
"""


async def change_settings(
    connection: Connection, who: Who, name: str, change: SettingsPatch, instance_secret: str
) -> OrganizationSettings:
    """Set what `change` names. Raises WebhookUnfit."""
    await lock_organization(connection, who.organization_id)
    before = await read_settings(connection, who.organization_id, instance_secret)
    fields = {it: value for it in change.__struct_fields__ if (value := getattr(change, it)) is not UNSET}
    if "slack_webhook" in fields:
        sealed = sealed_webhook(fields.pop("slack_webhook"), who.organization_id, instance_secret)
        await connection.execute(SET_WEBHOOK, who.organization_id, sealed)
    after = structs.replace(before, **fields)
    values = (
        after.default_role,
        unique(after.email_domains),
        after.log_retention_days,
        unique([normalized_email(it) for it in after.alert_emails]),
    )
    await connection.execute(UPDATE_SETTINGS, who.organization_id, *values)
    after = await read_settings(connection, who.organization_id, instance_secret)
    await record(connection, who, "organization.settings", Target(who.organization_id, name), before=before, after=after)
    return after


def sealed_webhook(webhook: str | None, organization_id: UUID, instance_secret: str) -> bytes | None:
    """What is stored; None to forget the webhook. Raises WebhookUnfit."""
    if webhook is None:
        return None
    check_webhook(webhook)
    return seal(webhook, PURPOSE, organization_id, instance_secret)


def masked(sealed: bytes | None, organization_id: UUID, instance_secret: str) -> str | None:
    """Where it leads and, unless that says too much, how it ends.

    None if there is none, or the instance's secret is another by now.
    """
    if sealed is None:
        return None
    try:
        webhook = unseal(sealed, PURPOSE, organization_id, instance_secret)
    except Unreadable:
        return None
    parts = urlsplit(webhook)
    return f"https://{parts.hostname}/…{webhook[-SHOWN:] if len(parts.path) > 4 * SHOWN else ''}"


def check_webhook(url: str) -> None:
    """Raises WebhookUnfit unless it is an address on the public Internet, as far as its text says."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise WebhookUnfit from error
    if parts.scheme != "https" or parts.username is not None or not parts.path.strip("/"):
        raise WebhookUnfit
    if PUBLIC_NAME.fullmatch(host) is None or host.endswith((".local", ".internal", ".localhost")):
        raise WebhookUnfit


LIST_RETENTIONS: Final[LiteralString] = """
    SELECT id, log_retention_days AS days
    FROM organizations
    WHERE log_retention_days IS NOT NULL
    UNION ALL
    SELECT last.organization_id, $1
    FROM audit_heads
    JOIN audit_entries AS last ON last.organization_id = audit_heads.organization_id AND last.number = audit_heads.number
    WHERE last.at > now() - $2::interval
      AND NOT EXISTS (SELECT FROM organizations WHERE organizations.id = last.organization_id)
"""


async def publish_retentions(database: Database, redis: Redis) -> None:
    """Tell telemetry how long each organization keeps its requests; all of them, since Redis may have forgotten.

    Those that were removed are told by their audit logs, which end with it.
    """
    rows = await database.run(lambda it: it.fetch(LIST_RETENTIONS, GONE, LONGEST_KEPT))
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.delete(RETENTION_KEY)
        if rows:
            pipeline.hset(RETENTION_KEY, mapping={str(row["id"]): row["days"] for row in rows})
        await pipeline.execute()
