"""Who may do what: the whole table, and nothing else decides.

Every route names its permission (`permission="models:write"` on its decorator), and the door (control.access) holds the caller's
role against it before the request's body is read. A role may do whatever the roles below it may. An API key may do what one of
its scopes and its owner's role both allow.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

Role = Literal["viewer", "developer", "admin", "owner"]
GivenRole = Literal["viewer", "developer", "admin"]
"""What administrators give: an owner is made by an owner, of a member."""
"""In an organization, or (but for the owner) in one project. From the least to the most."""

Permission = Literal[
    "account",
    "organization:read",
    "organization:write",
    "organization:delete",
    "usage:read",
    "members:read",
    "members:write",
    "audit:read",
    "projects:read",
    "projects:create",
    "projects:write",
    "projects:share",
    "projects:delete",
    "events:read",
    "models:read",
    "models:write",
    "experiments:read",
    "experiments:write",
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
    "usage:read": "admin",  # it counts what is in private projects too
    "members:read": "viewer",
    "members:write": "admin",
    "audit:read": "admin",
    "projects:read": "viewer",
    "projects:create": "developer",
    "projects:write": "developer",
    "projects:share": "admin",  # who sees it, and who has which role in it
    "projects:delete": "admin",  # and the archive
    "events:read": "viewer",  # what changes, as it happens: for pages that people look at
    "models:read": "viewer",
    "models:write": "developer",
    "experiments:read": "viewer",
    "experiments:write": "developer",
    "deployments:read": "viewer",
    "deployments:write": "developer",
    "predictions:make": "developer",  # tries and batch jobs: they cost processor time, and their inputs are kept
    "telemetry:read": "viewer",
    "keys:read": "viewer",
    "keys:write": "developer",
    "keys:read_all": "admin",  # those of every project, private ones included
}
"""The least role that has each permission; None: no role is asked for."""

MEANINGS: Final[Mapping[Permission, str]] = {
    "account": "Look after their own account.",
    "organization:read": "See the organization.",
    "organization:write": "Rename the organization and change its settings.",
    "organization:delete": "Delete the organization or hand it over.",
    "usage:read": "See how much all projects hold and are asked.",
    "members:read": "See who belongs to the organization, and its service accounts.",
    "members:write": "Invite and remove people, change their roles, and look after service accounts.",
    "audit:read": "Read and export the audit log.",
    "projects:read": "See projects.",
    "projects:create": "Create projects.",
    "projects:write": "Rename and describe projects.",
    "projects:share": "Say who sees a project, and who has which role in it.",
    "projects:delete": "Archive, delete and restore projects.",
    "events:read": "See changes as they happen.",
    "models:read": "See models, their versions and files.",
    "models:write": "Add, change and delete models and versions.",
    "experiments:read": "See experiments and their runs.",
    "experiments:write": "Record, change and delete runs.",
    "deployments:read": "See deployments, their settings and batch jobs.",
    "deployments:write": "Deploy models, change and delete deployments.",
    "predictions:make": "Try deployments and run batch jobs.",
    "telemetry:read": "See figures and requests with their values.",
    "keys:read": "See the API keys of projects.",
    "keys:write": "Create, change, rotate and revoke API keys.",
    "keys:read_all": "See the API keys of all projects together.",
}
"""What each permission lets people do, for those who choose roles."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)


def allows(role: Role, permission: Permission) -> bool:
    """Whether `role` has `permission`."""
    least = LEAST_ROLE[permission]
    return least is None or ROLES.index(role) >= ROLES.index(least)


Scope = Literal[
    "infer",
    "repository",
    "models:read",
    "models:write",
    "experiments:read",
    "experiments:write",
    "deployments:read",
    "deployments:write",
    "telemetry:read",
    "admin",
]
"""What an API key is for."""


class Grant(Struct, frozen=True):
    """What a scope means."""

    sentence: str
    """For people who choose scopes."""
    permissions: frozenset[Permission]
    """Here, in the key's project. What gateways allow is theirs to say: `infer` and `repository` are for them alone."""


def _grant(sentence: str, *permissions: Permission) -> Grant:
    return Grant(sentence, frozenset[Permission](("projects:read", *permissions)))


SCOPES: Final[Mapping[Scope, Grant]] = {
    "infer": Grant("Call the project's deployments.", frozenset()),
    "repository": Grant("List the project's deployments at a gateway, take them out of memory and back.", frozenset()),
    "models:read": _grant("See models, their versions and files.", "models:read"),
    "models:write": _grant("Also add, change and delete models and versions.", "models:read", "models:write"),
    "experiments:read": _grant("See experiments and their runs.", "experiments:read"),
    "experiments:write": _grant("Also record, change and delete runs.", "experiments:read", "experiments:write"),
    "deployments:read": _grant("See deployments, their settings and batch jobs.", "deployments:read"),
    "deployments:write": _grant(
        "Also deploy, change and delete; try deployments, and run batch jobs.",
        "deployments:read",
        "deployments:write",
        "predictions:make",
    ),
    "telemetry:read": _grant("See figures, requests with their values, and results of batch jobs.", "telemetry:read"),
    "admin": _grant(
        "Do everything in the project that its owner may do: settings, members and other keys too.",
        "projects:write",
        "projects:share",
        "projects:delete",
        "members:read",
        "models:read",
        "models:write",
        "experiments:read",
        "experiments:write",
        "deployments:read",
        "deployments:write",
        "predictions:make",
        "telemetry:read",
        "keys:read",
        "keys:write",
    ),
}


def scopes_with(permission: Permission) -> list[Scope]:
    """The scopes that give `permission`."""
    return [name for name, it in SCOPES.items() if permission in it.permissions]
