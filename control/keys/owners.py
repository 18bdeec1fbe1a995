"""In whose stead a key acts, and who may know its secret: nobody gets to do by a key what their own role does not allow."""

from collections.abc import Collection
from typing import Final, LiteralString
from uuid import UUID

from contracts.errors import Forbidden
from control.database import Connection
from control.identity.permissions import SCOPES, Permission, Role, Scope, allows
from control.keys.errors import KeyOwnerUnfit

FIND_SERVICE_ROLE: Final[LiteralString] = """
    SELECT project_roles.role
    FROM project_roles
    JOIN users ON users.id = project_roles.user_id
    WHERE project_roles.project_id = $1
      AND project_roles.user_id = $2
      AND users.kind = 'service'
"""


async def find_service_role(connection: Connection, project_id: UUID, user_id: UUID) -> Role:
    """The role in the project of a service account. Raises KeyOwnerUnfit if there is none that sees the project."""
    role = await connection.fetchval(FIND_SERVICE_ROLE, project_id, user_id)
    if role is None:
        raise KeyOwnerUnfit(f"no service account {user_id} sees this project")
    return role


FIND_OWNER_ROLE: Final[LiteralString] = """
    SELECT project_roles.role
    FROM api_keys
    JOIN project_roles ON project_roles.project_id = api_keys.project_id AND project_roles.user_id = api_keys.created_by
    WHERE api_keys.project_id = $1
      AND api_keys.id = $2
"""


async def find_owner_role(connection: Connection, project_id: UUID, key_id: UUID) -> Role | None:
    """The role of a key's owner in its project; None if they do not see it, so that the key cannot act in their stead."""
    return await connection.fetchval(FIND_OWNER_ROLE, project_id, key_id)


def check_may_know(role: Role, owner_role: Role | None, scopes: Collection[Scope]) -> None:
    """Raises Forbidden if who knows the key's secret could do by it what `role` does not allow."""
    granted = frozenset[Permission]().union(*(SCOPES[it].permissions for it in scopes))
    if owner_role and any(allows(owner_role, it) and not allows(role, it) for it in granted):
        raise Forbidden(f"with these scopes the key may do more than you: its owner is {owner_role}, and you are {role}")
