"""What to ask the control API of a seeded database: every list and search, first pages and later ones, of large and small."""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from loadtests.control_plane import API

GET_PROJECT: Final = "a project"
LATER: Final = 5
"""Pages to turn before a call that continues a list."""

Get = Callable[[str], Any]
"""The decoded answer to a GET of a path."""
Calls = dict[str, list[str]]
"""Paths by what they ask for."""


def draw(get: Get) -> Calls:
    """The calls of the owner of the seed's first organization, who is in small ones too."""
    organizations = {it["slug"]: it["id"] for it in get(f"{API}/me")["organizations"]}
    large = f"{API}/organizations/{organizations['organization-0']}"
    small = [f"{API}/organizations/{id}" for slug, id in organizations.items() if slug != "organization-0"]
    projects = [it["id"] for it in get(f"{large}/projects?limit=100")["items"]]
    largest = get(f"{API}/lookup?organization=organization-0&project=p-0")["id"]
    return {
        "me": [f"{API}/me"],
        "own sessions": [f"{API}/me/sessions"],
        "organization": [large, *small],
        "usage": [f"{large}/usage", *(f"{it}/usage" for it in small)],
        "project by its slugs": [f"{API}/lookup?organization=organization-0&project=p-{it}" for it in range(20)],
        GET_PROJECT: [f"{API}/projects/{it}" for it in projects],
        **_projects(get, large, small),
        **_people(get, large, small, projects),
        **_contents(get, large, [largest, *projects[:20]]),
        **_audit(get, large, projects),
    }


def unasked(calls: Calls, document: Any) -> set[str]:
    """Lists of the API's description that no call asks for; those that telemetry answers are not meant."""
    lists = {
        operations["get"]["operationId"]: re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path)))
        for path, operations in document["paths"].items()
        if operations.get("get", {}).get("operationId", "").startswith("list") and "/monitoring/" not in path
    }
    asked = {path.partition("?")[0] for paths in calls.values() for path in paths}
    return {name for name, pattern in lists.items() if not any(map(pattern.fullmatch, asked))}


def _projects(get: Get, large: str, small: list[str]) -> Calls:
    page = f"{large}/projects"
    searches = {"found often": "fraud", "found seldom": "fraud 1777", "two words": "churn europe", "found nowhere": "zebra"}
    return {
        "projects": [page, *(f"{it}/projects" for it in small)],
        "projects, later pages": [later(get, page)],
        "projects, of 100": [f"{page}?limit=100"],
        "projects with a tag": [f"{page}?tag=team-3", f"{page}?tag=fraud&tag=team-1", f"{page}?tag=nothing"],
        "archived projects": [f"{page}?state=archived"],
        "deleted projects": [f"{page}?state=deleted"],
        **{f"projects, search {how}": [f"{page}?{urlencode({'q': text})}"] for how, text in searches.items()},
    }


def _people(get: Get, large: str, small: list[str], projects: list[str]) -> Calls:
    members = f"{large}/members"
    return {
        "members": [members, *(f"{it}/members" for it in small)],
        "members, later pages": [later(get, members)],
        "members, search found": [f"{members}?q=person1", f"{members}?q=person1234", f"{members}?q=fraud"],
        "members, search found nowhere": [f"{members}?q=zebra"],
        "invitations": [f"{large}/invitations", later(get, f"{large}/invitations")],
        "members of a project": [f"{API}/projects/{it}/members" for it in projects[:20]],
        "members of a project, later pages": [later(get, f"{API}/projects/{projects[0]}/members")],
        "service accounts": [f"{large}/service-accounts", *(f"{it}/service-accounts" for it in small)],
        "service accounts, later pages": [later(get, f"{large}/service-accounts")],
        "roles and scopes": [f"{API}/roles", f"{API}/scopes"],
    }


def _contents(get: Get, large: str, projects: list[str]) -> Calls:
    places = [f"{API}/projects/{it}" for it in projects]
    models = get(f"{places[0]}/models?limit=20")["items"]
    deployments = get(f"{places[0]}/deployments?limit=20")["items"]
    kinds = ("models", "deployments", "batch-jobs", "keys")
    return {
        **{kind: [f"{it}/{kind}" for it in places] for kind in kinds},
        **{f"{kind}, later pages": [later(get, f"{places[0]}/{kind}")] for kind in kinds},
        **{f"{kind}, of 100": [f"{places[0]}/{kind}?limit=100"] for kind in kinds},
        "versions of a model": [f"{places[0]}/models/{it['id']}/versions" for it in models],
        "revisions of a deployment": [f"{places[0]}/deployments/{it['id']}/revisions" for it in deployments],
        "keys of the organization": [f"{large}/keys", f"{large}/keys?limit=100", later(get, f"{large}/keys")],
    }


def _audit(get: Get, large: str, projects: list[str]) -> Calls:
    page = f"{large}/audit"
    entry = get(f"{page}?limit=1")["items"][0]
    span = {"from": "2000-01-01T00:00:00Z", "to": entry["at"]}
    filters: dict[str, dict[str, str]] = {
        "by actor": {"actor": entry["actor"]},
        "by somebody unknown": {"actor": "nobody@seed.example"},
        "by action": {"action": "key.create"},
        "by kind": {"action": "key"},
        "by kind unknown": {"action": "zebra"},
        "by target": {"target": entry["target_id"]},
        "by target's name": {"target": "target 7"},
        "by target unknown": {"target": "zebra"},
        "by project": {"project_id": projects[0]},
        "by project of nobody": {"project_id": large.rpartition("/")[2]},
        "by time": span,
        "by actor, action and time": {"actor": entry["actor"], "action": "member", **span},
    }
    return {
        "audit log": [page],
        "audit log, of 100": [f"{page}?limit=100"],
        "audit log, later pages": [later(get, page)],
        **{f"audit log {how}": [f"{page}?{urlencode(query)}"] for how, query in filters.items()},
    }


def later(get: Get, page: str) -> str:
    """The path of a page further on in the list that begins at `page`."""
    path = page
    for _ in range(LATER):
        cursor = get(path)["next_cursor"]
        if cursor is None:
            break
        path = f"{page}?cursor={cursor}"
    return path
