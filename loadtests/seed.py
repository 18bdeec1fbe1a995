"""`make seed`: fills the migrated, empty database of `HEADRACE_DATABASE_URL` with many organizations, by COPY.

A fifth of everything is the first organization's, and a fifth of what is below projects its first project's, so that there is a
large tenant among small ones. Prints whom to log in as. Two databases are alike but for ids and times.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any, Final
from uuid import UUID

import asyncpg
import bcrypt
import msgspec
from msgspec import Struct

from contracts.settings import ControlSettings, load_settings
from contracts.signature import Inspection, Tensor
from control.audit.chain import GENESIS, Sealed, seal
from control.keys.secrets import console_key

OWNER: Final = "owner@seed.example"
VIEWER: Final = "viewer@seed.example"
PASSWORD: Final = "a password for measuring"
SUBJECTS: Final = ("fraud", "churn", "demand", "pricing", "vision", "speech", "ranking", "anomaly", "credit", "search")
PLACES: Final = ("cards", "europe", "asia", "mobile", "web", "stores", "warehouse", "support", "returns", "night")
ACTIONS: Final = ("key.create", "key.revoke", "member.join", "model.create", "deployment.update", "project.update")
DAYS: Final = 90
"""How far back the audit log goes."""
STEP_MS: Final = 7
BASE_32: Final = "abcdefghijklmnopqrstuvwxyz234567"

Row = tuple[Any, ...]


class Size(Struct, frozen=True):
    """How much there is of what."""

    organizations: int = 1_000
    projects: int = 10_000
    members: int = 100_000
    audit_entries: int = 1_000_000

    def scaled(self, by: float) -> "Size":
        """The same in small; at least what the first organization needs."""
        return Size(*(max(20, int(it * by)) for it in msgspec.structs.astuple(self)))


class Person(Struct, frozen=True):
    """A user."""

    id: UUID
    email: str


class Organization(Struct, frozen=True):
    """With the people in it: the owner first, then the viewer, of the first one."""

    id: UUID
    people: list[Person]
    projects: list[UUID]


class Seeder:
    """Draws rows and copies them."""

    def __init__(self, connection: Any, size: Size, secret: str) -> None:
        self.connection = connection
        self.size = size
        self.secret = secret
        self.random = Random(4)
        self.now = datetime.now(UTC)
        self.milliseconds = count(int((self.now - timedelta(days=DAYS)).timestamp() * 1000), STEP_MS)
        self.digests = [sha256(str(it).encode()).hexdigest() for it in range(1000)]

    def id(self) -> UUID:
        """A UUIDv7, later than all before."""
        bits = next(self.milliseconds) << 80 | 7 << 76 | self.random.getrandbits(12) << 64 | 2 << 62 | self.random.getrandbits(62)
        return UUID(int=bits)

    async def copy(self, table: str, columns: str, rows: Iterator[Row] | list[Row]) -> None:
        """Add `rows` to `table`."""
        began = time.monotonic()
        tag = await self.connection.copy_records_to_table(table, columns=columns.split(), records=rows)
        print(f"{table}: {tag} in {time.monotonic() - began:.1f} s", file=sys.stderr)

    async def run(self) -> None:
        """Everything, or nothing."""
        async with self.connection.transaction():
            organizations = await self.add_organizations()
            await self.add_projects(organizations)
            for it in (self.add_keys, self.add_models):
                await it([project for organization in organizations for project in organization.projects])
            await self.copy("audit_entries", AUDIT_COLUMNS, self.audit_entries(organizations))
            await self.copy("audit_heads", "organization_id number seal", [(*it,) for it in self.heads])
        await self.connection.execute("VACUUM ANALYZE")

    async def add_organizations(self) -> list[Organization]:
        """People, and the organizations they are in: most in one, the owner of the first in twenty."""
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        people = [Person(self.id(), OWNER), Person(self.id(), VIEWER)]
        people += [Person(self.id(), f"person{it}@seed.example") for it in range(self.size.members - 21)]
        rows = ((it.id, it.email, f"{self.random.choice(SUBJECTS).title()} Person", hashed) for it in people)
        await self.copy("users", "id email name password_hash", rows)
        organizations, start = [], 0
        for share in shares(self.size.members - 19, self.size.organizations):
            members = people[start : start + share]
            organizations.append(Organization(self.id(), members, []))
            start += share
        named = ((it.id, f"Organization {index}", f"organization-{index}") for index, it in enumerate(organizations))
        await self.copy("organizations", "id name slug", named)
        await self.copy("members", "organization_id user_id role", self.members(organizations))
        await self.add_machines(organizations)
        await self.copy(
            "invitations", "id organization_id email role token_sha256 invited_by expires_at", self.invitations(organizations)
        )
        return organizations

    async def add_machines(self, organizations: list[Organization]) -> None:
        """Service accounts."""
        rows: list[Row] = []
        for it, share in zip(organizations, shares(self.size.organizations * 2, len(organizations)), strict=True):
            rows += [(self.id(), it.id, f"pipeline {number}", "service") for number in range(share)]
        await self.copy("users", "id organization_id name kind", rows)
        await self.copy("members", "organization_id user_id role", [(row[1], row[0], "developer") for row in rows])

    def members(self, organizations: list[Organization]) -> Iterator[Row]:
        """Each with a role."""
        for it in organizations:
            for index, person in enumerate(it.people):
                yield it.id, person.id, "owner" if index == 0 else ("viewer", "developer", "admin")[index % 10 // 4]
        for it in organizations[1:20]:
            yield it.id, organizations[0].people[0].id, "developer"

    def invitations(self, organizations: list[Organization]) -> Iterator[Row]:
        """A few in each; the most there may be in the first."""
        for it, share in zip(organizations, shares(self.size.organizations * 5, len(organizations)), strict=True):
            for number in range(share):
                token = self.random.randbytes(32)
                yield (
                    self.id(),
                    it.id,
                    f"invited{number}@seed.example",
                    "viewer",
                    token,
                    it.people[0].id,
                    self.now + timedelta(days=7),
                )

    async def add_projects(self, organizations: list[Organization]) -> None:
        """Projects, some private, some archived, and roles in them."""
        rows: list[Row] = []
        for it, share in zip(organizations, shares(self.size.projects, len(organizations)), strict=True):
            for number in range(share):
                it.projects.append(self.id())
                about = f"{self.random.choice(SUBJECTS)} {self.random.choice(PLACES)}"
                tags = [self.random.choice(SUBJECTS), f"team-{number % 7}"]
                archived = self.now if number % 50 == 49 else None
                visibility = "private" if number % 5 == 4 else "organization"
                description = f"Models for {about}, number {number}."
                rows.append((it.projects[-1], it.id, f"{about} {number}", f"p-{number}", description, tags, visibility, archived))
        await self.copy("projects", "id organization_id name slug description tags visibility archived_at", rows)
        roles = (
            (project, person.id, "developer") for it in organizations for project in it.projects for person in it.people[2:5]
        )
        await self.copy("project_members", "project_id user_id role", roles)

    async def add_keys(self, projects: list[UUID]) -> None:
        """Three in each project, one of them the console's."""
        numbers = count()

        def rows() -> Iterator[Row]:
            for project, share in zip(projects, shares(2 * len(projects), len(projects)), strict=True):
                console = console_key(self.secret, project)
                yield self.id(), project, "console", console.key_id, console.sha256, "console", ["infer"]
                for _ in range(share):
                    yield self.id(), project, "api", key_id(next(numbers)), bytes(32), "batch scorer", ["infer"]

        await self.copy("api_keys", "id project_id kind key_id secret_sha256 name scopes", rows())

    async def add_models(self, projects: list[UUID]) -> None:
        """Three models in each project with two versions, two deployments with two revisions, three batch jobs."""
        models: list[Row] = []
        versions: list[Row] = []
        deployments: list[Row] = []
        revisions: list[Row] = []
        jobs: list[Row] = []
        for project, share in zip(projects, shares(3 * len(projects), len(projects)), strict=True):
            for number in range(share):
                model, deployment = self.id(), self.id()
                models.append((model, project, f"model {number}", "Scores.", 2))
                own = [self.id(), self.id()]
                digests = self.random.sample(self.digests, 2)
                versions += [(id, model, at + 1, digests[at], *FILE) for at, id in enumerate(own)]
                if number % 3 != 2:
                    deployments.append((deployment, project, f"d-{number}", 2))
                    revisions += [(self.id(), deployment, at + 1, id, "{}") for at, id in enumerate(own)]
                    jobs.append((self.id(), project, deployment, f"d-{number}", own[1], f"model {number}", 2, *JOB))
        await self.copy("artifacts", "digest", [(it,) for it in self.digests])
        await self.copy("models", "id project_id name description versions", models)
        await self.copy("model_versions", "id model_id number digest file_name size_bytes inspection", versions)
        await self.copy("deployments", "id project_id name revision_number", deployments)
        await self.copy("revisions", "id deployment_id number version_id settings", revisions)
        await self.copy("batch_jobs", JOB_COLUMNS, jobs)
        inputs = [(it[0], "input", 0, self.random.choice(self.digests), 1000) for it in jobs]
        await self.copy("batch_job_files", "job_id kind number digest size_bytes", inputs)

    def audit_entries(self, organizations: list[Organization]) -> Iterator[Row]:
        """Every organization's own log, each entry sealed; leaves the last seals in `heads`."""
        self.heads: list[Row] = []
        for it, share in zip(organizations, shares(self.size.audit_entries, len(organizations)), strict=True):
            last = GENESIS
            for number in range(1, share + 1):
                content = self.entry(it, number, share)
                last = seal(last, content)
                yield (self.id(), *msgspec.structs.astuple(content), last)
            self.heads.append((it.id, share, last))

    def entry(self, it: Organization, number: int, of: int) -> Sealed:
        """One thing that somebody did."""
        actor, project = self.random.choice(it.people), self.random.choice(it.projects)
        return Sealed(
            organization_id=it.id,
            number=number,
            at=self.now - timedelta(days=DAYS) * (1 - number / of),
            actor_id=actor.id,
            actor=actor.email,
            address="198.51.100.7",
            request_id=f"{number:032x}",
            project_id=project,
            action=self.random.choice(ACTIONS),
            target_id=str(project),
            target_name=f"target {number % 100}",
            before='{"name":"before"}',
            after='{"name":"after"}',
        )


AUDIT_COLUMNS: Final = " ".join(("id", *Sealed.__struct_fields__, "seal"))
JOB_COLUMNS: Final = (
    "id project_id deployment_id deployment_name version_id model_name model_version file_name format state rows_total rows_done"
)
JOB: Final = ("input.csv", "csv", "succeeded", 1000, 1000)
TENSOR: Final = Tensor("x", "FP32", (-1, 4))
INSPECTION: Final = msgspec.json.encode(Inspection((TENSOR,), (TENSOR,), 17, 9, "seed", 20, 4096, 2)).decode()
FILE: Final = ("model.onnx", 4096, INSPECTION)


def shares(total: int, among: int) -> list[int]:
    """How many each gets: the first a fifth, the others the same of the rest, at least one."""
    rest = max(1, round(total * 0.8 / max(1, among - 1)))
    return [max(1, total - rest * (among - 1)), *[rest] * (among - 1)]


def key_id(number: int) -> str:
    """The `number`-th public id of a key: 12 letters and digits."""
    return "".join(BASE_32[number >> shift & 31] for shift in range(55, -5, -5))


async def seed(database_url: str, size: Size, secret: str) -> None:
    """Fill the database, which must have been migrated. Raises what asyncpg does if it is not empty."""
    connection = await asyncpg.connect(database_url)
    try:
        await Seeder(connection, size, secret).run()
    finally:
        await connection.close()


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="make seed", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="0.01: a hundredth of everything")
    arguments = parser.parse_args()
    settings = load_settings(os.environ, ControlSettings)
    asyncio.run(seed(settings.database_url, Size().scaled(arguments.scale), settings.secret))
    print(f"log in as {OWNER} or {VIEWER}, password: {PASSWORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
