"""The control plane's application: every feature's handlers behind one door."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler

from contracts.settings import ControlSettings
from control import console, openapi
from control.access import (
    admit,
    authenticate,
    check_guarded,
    provide_member,
    provide_origin,
    provide_principal,
    provide_tenant,
    provide_who,
)
from control.audit import routes as audit
from control.background import running
from control.batch_jobs import routes as batch_jobs
from control.batch_jobs.dispatch import Dispatcher, dispatching
from control.database import Connection, Database
from control.deployments import routes as deployments
from control.deployments.watching import watch_forever
from control.events import routes as events
from control.events.feed import feeding
from control.headers import add_headers, answer_error
from control.identity import account_routes as account
from control.identity import mailed_routes as mailed
from control.identity import routes as identity
from control.identity import second_factor_routes as second_factor
from control.invitations import routes as invitations
from control.keys import routes as keys
from control.members import routes as members
from control.monitoring import routes as monitoring
from control.oidc import routes as oidc
from control.organizations import routes as organizations
from control.projects import routes as projects
from control.registry import routes as registry
from control.requests import ControlRequest
from control.resources import Resources, open_resources
from control.routing.publisher import publishing_routes
from control.service_accounts import routes as service_accounts
from control.sweeping import sweep_forever
from control.system import routes as system

API_HANDLERS: Final[list[HTTPRouteHandler]] = [
    *system.HANDLERS,
    *identity.HANDLERS,
    *account.HANDLERS,
    *mailed.HANDLERS,
    *second_factor.HANDLERS,
    *oidc.HANDLERS,
    *organizations.HANDLERS,
    *members.HANDLERS,
    *invitations.HANDLERS,
    *service_accounts.HANDLERS,
    *projects.HANDLERS,
    *keys.HANDLERS,
    *registry.HANDLERS,
    *deployments.HANDLERS,
    *batch_jobs.HANDLERS,
    *audit.HANDLERS,
    *events.HANDLERS,
    *monitoring.HANDLERS,
]
LARGEST_BODY_BYTES: Final = 1 << 20
"""Of a JSON request; a route that takes files says its own."""


def create_app(settings: ControlSettings) -> Litestar:
    """The ASGI application; contacts nothing before its first request."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        settings: ControlSettings = app.state.settings
        async with open_resources(settings) as resources:
            app.state.resources = resources
            database = resources.pool.across_tenants
            async with (
                publishing_routes(settings.database_url, database, resources.redis),
                feeding(settings.database_url, resources.redis, resources.feed),
                running(watch_forever(database, resources.redis, resources.feed)),
                running(sweep_forever(resources)),
                running(resources.mailer.deliver_forever()),
                running(resources.guesses.write_forever(database)),
                dispatching(Dispatcher(settings, database, resources.registry.staging.root)),
            ):
                yield

    check_guarded(API_HANDLERS)
    api = Router("/api/v1", route_handlers=API_HANDLERS, guards=[authenticate, admit])
    return Litestar(
        [api, *system.PROBES, *openapi.HANDLERS, *console.HANDLERS],
        lifespan=[lifespan],
        state=State({"settings": settings}),
        dependencies={
            "settings": Provide(provide_settings),
            "resources": Provide(provide_resources),
            "database": Provide(provide_database),
            "connection": Provide(provide_connection),
            "across_tenants": Provide(provide_across_tenants),
            "principal": Provide(provide_principal),
            "member": Provide(provide_member),
            "tenant": Provide(provide_tenant),
            "origin": Provide(provide_origin),
            "who": Provide(provide_who),
        },
        exception_handlers={Exception: answer_error, 500: answer_error},
        before_send=[add_headers],
        openapi_config=openapi.openapi_config(),
        request_class=ControlRequest,
        request_max_body_size=LARGEST_BODY_BYTES,
        logging_config=None,
    )


async def provide_settings(state: State) -> ControlSettings:
    """The `settings` of a handler."""
    return state.settings


async def provide_resources(state: State) -> Resources:
    """The `resources` of a handler."""
    return state.resources


async def provide_connection(database: NamedDependency[Database]) -> AsyncGenerator[Connection]:
    """The `connection` of a handler: one transaction a request, committed before the answer is sent."""
    async with database.transaction() as connection:
        yield connection


async def provide_across_tenants(resources: NamedDependency[Resources]) -> AsyncGenerator[Connection]:
    """The `across_tenants` of a handler whose path names no organization: a transaction like that of `connection`."""
    async with resources.pool.across_tenants.transaction() as connection:
        yield connection


async def provide_database(request: Request[Any, Any, Any], resources: NamedDependency[Resources]) -> Database:
    """The `database` of a handler that opens its own transactions, because it does slow work between them."""
    return resources.pool.of(request.scope["state"]["member"].organization_id)
