"""Calling telemetry's own API: it believes the signed tenant header and nothing else."""

import logging
import time
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
import msgspec
from msgspec import Struct

from contracts.errors import Invalid
from contracts.problems import Problem
from contracts.tenancy import TENANT_HEADER, Tenant, sign_tenant
from control.access import Tenant as Caller
from control.monitoring.errors import TelemetryUnavailable
from control.resources import Resources

logger = logging.getLogger(__name__)

REFUSALS: Final = frozenset({400, 422})

Answer = TypeVar("Answer", bound=Struct)


async def ask(resources: Resources, caller: Caller, path: str, query: dict[str, str], answer: type[Answer]) -> Answer:
    """GET `path`, in the name of the caller's project.

    Raises Invalid if telemetry finds fault with the query, TelemetryUnavailable if it gives no answer that can be used.
    """
    tenant = Tenant(caller.organization_id, caller.project_id, int(time.time()))
    return await _ask(resources, tenant, path, query, answer)


async def ask_of_organization(
    resources: Resources, organization_id: UUID, path: str, query: dict[str, Any], answer: type[Answer]
) -> Answer:
    """The same in the name of an organization as a whole."""
    return await _ask(resources, Tenant(organization_id, None, int(time.time())), path, query, answer)


async def _ask(resources: Resources, tenant: Tenant, path: str, query: dict[str, Any], answer: type[Answer]) -> Answer:
    headers = {TENANT_HEADER: sign_tenant(tenant, resources.settings.secret)}
    try:
        response = await resources.telemetry.get(path, params=query, headers=headers)
    except httpx.HTTPError as error:
        raise TelemetryUnavailable from error
    try:
        if response.status_code in REFUSALS:
            raise Invalid(msgspec.json.decode(response.content, type=Problem).detail)
        if response.status_code == 200:
            return msgspec.json.decode(response.content, type=answer)
    except msgspec.DecodeError as error:
        raise TelemetryUnavailable from error
    logger.error("telemetry answered %d to %s", response.status_code, path)
    raise TelemetryUnavailable
