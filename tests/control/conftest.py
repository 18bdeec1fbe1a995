"""A migrated database, the application on it, and an account to call it with."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from litestar import Litestar
from msgspec import Struct

from contracts.settings import ControlSettings
from control.app import create_app
from control.migrate import migrate

PASSWORD = "a good enough password"
SECRET = "a secret for the tests only"


class Account(Struct, frozen=True):
    """A registered person, with what a test needs to act as them."""

    client: httpx.AsyncClient
    """Sends the person's bearer token."""
    user_id: UUID
    email: str
    organization_id: UUID
    project_id: UUID
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


async def create_database(postgres_url: str, name: str) -> str:
    """Make an empty database; the answer is its URL."""
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def database_url(postgres_url: str) -> str:
    """URL of a migrated database, shared by the session: tests keep apart by having accounts of their own."""
    url = asyncio.run(create_database(postgres_url, "control"))
    asyncio.run(migrate(url))
    return url


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> ControlSettings:
    """Settings of a control plane whose telemetry is not there."""
    return ControlSettings(
        data=tmp_path,
        database_url=database_url,
        redis_url=redis_url,
        secret=SECRET,
        telemetry_url=f"unix:{tmp_path}/telemetry.sock",
        console_directory=tmp_path / "console",
        bcrypt_cost=4,
        database_connections=4,
        event_stream_s=0.1,
    )


@pytest.fixture(scope="session")
def made_app() -> Litestar:
    """The application, not started; made once, which takes longer than most tests."""
    return create_app(ControlSettings(secret=SECRET))


@pytest.fixture
async def app(made_app: Litestar, settings: ControlSettings) -> AsyncGenerator[Litestar]:
    """The application, started with the test's settings."""
    made_app.state.settings = settings
    async with started(made_app):
        yield made_app


@asynccontextmanager
async def started(app: Litestar) -> AsyncGenerator[None]:
    """Hold the application's lifespan open in a task of its own: it must be left by the task that entered it."""
    opened, closing = asyncio.Event(), asyncio.Event()

    async def hold_open() -> None:
        async with app.lifespan():
            opened.set()
            await closing.wait()

    task = asyncio.create_task(hold_open())
    await asyncio.wait([task, waiting := asyncio.create_task(opened.wait())], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield
    finally:
        closing.set()
        await task


def open_client(app: Litestar, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client that calls `app` in this event loop."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # pyright: ignore[reportArgumentType]
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers=headers, timeout=20)


@pytest.fixture
async def client(app: Litestar) -> AsyncGenerator[httpx.AsyncClient]:
    """A client nobody is logged in with."""
    async with open_client(app) as client:
        yield client


NewAccount = Callable[[], Awaitable[Account]]


@pytest.fixture
async def new_account(app: Litestar, client: httpx.AsyncClient) -> AsyncGenerator[NewAccount]:
    """Registers one more person at every call."""
    clients: list[httpx.AsyncClient] = []

    async def register() -> Account:
        email = f"{uuid4().hex}@example.com"
        answer = await client.post("/api/v1/auth/register", json={"email": email, "password": PASSWORD, "name": "Ada Lovelace"})
        assert answer.status_code == 201, answer.text
        session: dict[str, Any] = answer.json()
        clients.append(open_client(app, {"Authorization": f"Bearer {session['access_token']}"}))
        return Account(
            client=clients[-1],
            user_id=UUID(session["user"]["id"]),
            email=email,
            organization_id=UUID(session["organization_id"]),
            project_id=UUID(session["project_id"]),
            access_token=session["access_token"],
            refresh_token=session["refresh_token"],
        )

    yield register
    for it in clients:
        await it.aclose()


@pytest.fixture
async def account(new_account: NewAccount) -> Account:
    """A registered person."""
    return await new_account()


@pytest.fixture
async def stranger(new_account: NewAccount) -> Account:
    """A registered person of another organization, to whom nothing of `account`'s exists."""
    return await new_account()


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[asyncpg.Connection]:
    """A connection, for what the API has no words for."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
