"""`GET /api/v1/me` as most people write it: FastAPI, pydantic, uvicorn, and SQLAlchemy's asynchronous ORM on the same database.

It checks the token and the session, and answers what control answers: the person and their organizations.
"""

import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload

from control.identity.tokens import ALGORITHM, AUDIENCE, ISSUER, derived_key


class Base(DeclarativeBase):
    pass


class Organization(Base):
    __tablename__ = "organizations"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str]


class Member(Base):
    __tablename__ = "members"
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str]
    organization: Mapped[Organization] = relationship()


class SecondFactor(Base):
    __tablename__ = "second_factors"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    confirmed_at: Mapped[datetime | None]


class User(Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    email_verified_at: Mapped[datetime | None]
    memberships: Mapped[list[Member]] = relationship()
    second_factor: Mapped[SecondFactor | None] = relationship()


class Session(Base):
    __tablename__ = "sessions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    email: str
    name: str


class OrganizationOut(BaseModel):
    id: UUID
    name: str
    slug: str
    role: str


class MeOut(BaseModel):
    user: UserOut
    is_email_verified: bool
    has_second_factor: bool
    organizations: list[OrganizationOut]
    csrf_token: str | None


def create_app(database_url: str, secret: str) -> FastAPI:
    """The application; `database_url` and `secret` are control's."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=10)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    key = derived_key(secret, "access-token")

    async def get_database() -> AsyncGenerator[AsyncSession]:
        async with sessions() as database:
            yield database

    async def get_user(
        database: Annotated[AsyncSession, Depends(get_database)],
        credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
    ) -> User:
        try:
            claims = jwt.decode(credentials.credentials, key, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE)
        except jwt.InvalidTokenError as error:
            raise HTTPException(401) from error
        session = await database.get(Session, UUID(claims["sid"]))
        if session is None or session.ended_at is not None or session.expires_at < datetime.now(UTC):
            raise HTTPException(401)
        memberships = selectinload(User.memberships).joinedload(Member.organization)
        found = await database.scalars(
            select(User).where(User.id == session.user_id).options(memberships, joinedload(User.second_factor))
        )
        return found.unique().one()

    app = FastAPI()

    @app.get("/api/v1/me")
    async def get_me(user: Annotated[User, Depends(get_user)]) -> MeOut:  # pyright: ignore[reportUnusedFunction]
        return MeOut(
            user=UserOut.model_validate(user),
            is_email_verified=user.email_verified_at is not None,
            has_second_factor=user.second_factor is not None and user.second_factor.confirmed_at is not None,
            organizations=[
                OrganizationOut(id=it.organization.id, name=it.organization.name, slug=it.organization.slug, role=it.role)
                for it in user.memberships
            ],
            csrf_token=None,
        )

    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(sys.argv[2], sys.argv[3]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False
    )
