"""Creating a project."""

from uuid import UUID

from contracts.errors import Conflict
from contracts.routes import KeyLimits
from control.audit.recording import Target, Who, record
from control.database import Connection
from control.keys.queries import insert_key
from control.keys.secrets import console_key
from control.projects import queries
from control.routing.queries import bump_routes
from control.slugs import candidate_slugs


async def create_project(connection: Connection, who: Who, name: str, description: str, secret: str) -> UUID:
    """Make a project with its hidden console key; the answer is its id. Raises ProjectNameTaken."""
    for slug in candidate_slugs(name, "project"):
        project_id = await queries.insert_project(connection, who.organization_id, name, slug, description)
        if project_id is not None:
            key = console_key(secret, project_id)
            await insert_key(connection, project_id, "console", key, "console", ["infer"], None, None, KeyLimits())
            await bump_routes(connection)
            made = {"name": name, "slug": slug, "description": description}
            await record(connection, who, "project.create", Target(project_id, name), after=made)
            return project_id
    raise Conflict(f"no free slug for a project named {name!r}; try again")
