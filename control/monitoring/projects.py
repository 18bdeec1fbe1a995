"""Which projects a person may be told about, whatever telemetry counts."""

from typing import Final, LiteralString
from uuid import UUID

from control.access import Member
from control.database import Connection

NAME_PROJECTS: Final[LiteralString] = """
    SELECT id, name, slug
    FROM project_summaries
    WHERE organization_id = $1
      AND user_id = $2
      AND id = ANY($3::uuid[])
      AND deleted_at IS NULL
"""


async def name_projects(connection: Connection, member: Member, project_ids: list[UUID]) -> dict[UUID, tuple[str, str]]:
    """Name and slug of those projects that the member sees."""
    rows = await connection.fetch(NAME_PROJECTS, member.organization_id, member.user_id, project_ids)
    return {row["id"]: (row["name"], row["slug"]) for row in rows}
