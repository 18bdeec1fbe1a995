"""Who may do what: the whole table, and nothing else decides.

Every route names its permission (`permission="models:write"` on its decorator), and the door (control.access) holds the caller's
role against it before the request's body is read. A role may do whatever the roles below it may.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

Role = Literal["viewer", "developer", "admin", "owner"]
"""In an organization, or (but for the owner) in one project. From the least to the most."""

Permission = Literal[
    "account",
    "organization:read",
    "organization:write",
    "organization:delete",
    "members:read",
    "members:write",
    "audit:read",
    "projects:read",
    "projects:create",
    "projects:write",
    "projects:share",
    "projects:delete",
    "models:read",
    "models:write",
    "deployments:read",
    "deployments:write",
    "predictions:make",
    "telemetry:read",
    "keys:read",
    "keys:write",
    "keys:read_all",
]

LEAST_ROLE: Final[Mapping[Permission, Role | None]] = {
    "account": None,  # whoever has signed in, about themselves
    "organization:read": "viewer",
    "organization:write": "admin",
    "organization:delete": "owner",
    "members:read": "viewer",
    "members:write": "admin",
    "audit:read": "admin",
    "projects:read": "viewer",
    "projects:create": "developer",
    "projects:write": "developer",
    "projects:share": "admin",  # who sees it, and who has which role in it
    "projects:delete": "admin",  # and the archive
    "models:read": "viewer",
    "models:write": "developer",
    "deployments:read": "viewer",
    "deployments:write": "developer",
    "predictions:make": "developer",  # tries and batch jobs: they cost processor time, and their inputs are kept
    "telemetry:read": "viewer",
    "keys:read": "viewer",
    "keys:write": "developer",
    "keys:read_all": "admin",  # those of every project, private ones included
}
"""The least role that has each permission; None: no role is asked for."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)


def allows(role: Role, permission: Permission) -> bool:
    """Whether `role` has `permission`."""
    least = LEAST_ROLE[permission]
    return least is None or ROLES.index(role) >= ROLES.index(least)
