"""The Litestar app: monitoring for control, health for whoever watches."""

import time
from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request
from litestar.di import Provide
from redis.asyncio import Redis

from contracts.errors import Unauthenticated
from contracts.problems import answer_with_problem
from contracts.tenancy import TENANT_HEADER, Tenant, verify_tenant
from telemetry.health import get_liveness, get_metrics, get_readiness
from telemetry.metrics import Metrics
from telemetry.monitoring.routes import (
    count_organization_requests,
    count_requests_by_project,
    get_key_history,
    get_request_summary,
    list_key_uses,
    list_organization_key_uses,
    list_recent_requests,
)
from telemetry.store import Store


def create_app(secret: str, store: Store, redis: Redis, metrics: Metrics) -> Litestar:
    """The app over an opened (or opening) store; `secret` is the one control signs tenants with."""
    return Litestar(
        [
            get_liveness,
            get_readiness,
            get_metrics,
            get_request_summary,
            list_recent_requests,
            count_organization_requests,
            count_requests_by_project,
            list_key_uses,
            list_organization_key_uses,
            get_key_history,
        ],
        dependencies={
            "tenant": Provide(_tenant_reader(secret, of_project=True), sync_to_thread=False),
            "organization": Provide(_tenant_reader(secret, of_project=False), sync_to_thread=False),
            "store": Provide(lambda: store, sync_to_thread=False),
            "redis": Provide(lambda: redis, sync_to_thread=False),
            "metrics": Provide(lambda: metrics, sync_to_thread=False),
        },
        exception_handlers={Exception: answer_with_problem},
        openapi_config=None,
        logging_config=None,
    )


def _tenant_reader(secret: str, *, of_project: bool) -> Callable[[Request[Any, Any, Any]], Tenant]:
    def read_tenant(request: Request[Any, Any, Any]) -> Tenant:
        if not (header := request.headers.get(TENANT_HEADER)):
            raise Unauthenticated(f"the header {TENANT_HEADER} is missing")
        tenant = verify_tenant(header, secret, time.time())
        if (tenant.project_id is not None) is not of_project:
            raise Unauthenticated(
                f"this is about {'a project' if of_project else 'an organization'}, and the tenant header is not"
            )
        return tenant

    return read_tenant
