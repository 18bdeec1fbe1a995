"""Audit log routes: who did what, page by page or as a file."""

from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from contracts.errors import Invalid
from control.audit import export, queries
from control.audit.queries import Wanted
from control.audit.schemas import AuditPage
from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.injected import Connection, Database, Member

AUDIT: Final = "/organizations/{organization_id:uuid}/audit"
NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f]*$"

Actor = Annotated[str | None, QueryParameter(max_length=254, pattern=NO_CONTROLS, description="Their e-mail address.")]
Action = Annotated[
    str | None,
    QueryParameter(max_length=64, pattern=NO_CONTROLS, description="Whole (`key.create`), or only the kind of thing (`key`)."),
]
TargetIs = Annotated[str | None, QueryParameter(max_length=254, pattern=NO_CONTROLS, description="Id or name of what changed.")]
ProjectIs = Annotated[UUID | None, QueryParameter(description="Only what was changed in this project.")]
Start = Annotated[datetime | None, QueryParameter(name="from", description="The earliest time, with its offset from UTC.")]
End = Annotated[datetime | None, QueryParameter(name="to", description="The time before which it was done.")]
Format = Annotated[export.ExportFormat, QueryParameter(description="`csv` for spreadsheets, `jsonl` for programs.")]
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


@get(AUDIT, operation_id="listAuditEntries", tags=["Audit"], permission="audit:read")
async def list_audit_entries(
    member: Member,
    connection: Connection,
    actor: Actor = None,
    action: Action = None,
    target: TargetIs = None,
    project_id: ProjectIs = None,
    start: Start = None,
    end: End = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> AuditPage:
    """What was changed in an organization, by whom and from where, newest first."""
    wanted = Wanted(actor, action, target, project_id, _in_reach(start), _in_reach(end))
    items = await queries.list_entries(connection, member.organization_id, wanted, cursor, limit + 1)
    return AuditPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


FILE: Final = {
    HTTP_200_OK: ResponseSpec(bytes, description="The file.", media_type="application/octet-stream", generate_examples=False)
}


@get(AUDIT + "/export", operation_id="exportAuditLog", tags=["Audit"], permission="audit:read", responses=FILE)
async def export_audit_log(
    member: Member,
    database: Database,
    format: Format,
    actor: Actor = None,
    action: Action = None,
    target: TargetIs = None,
    project_id: ProjectIs = None,
    start: Start = None,
    end: End = None,
) -> Stream:
    """The same as one file, however long it is."""
    wanted = Wanted(actor, action, target, project_id, _in_reach(start), _in_reach(end))
    entries = queries.all_entries(database, member.organization_id, wanted)
    headers = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    return Stream(export.export(entries, format), media_type=export.MEDIA_TYPES[format], headers=headers)


def _in_reach(time: datetime | None) -> datetime | None:
    """Raises Invalid unless `time` says its offset, and is one that every calendar knows."""
    if time is None:
        return None
    if time.tzinfo is None:
        raise Invalid(f"{time.isoformat()} lacks its offset from UTC, like Z or +01:00")
    if not EARLIEST <= time < LATEST:
        raise Invalid(f"{time.isoformat()} is not between {EARLIEST.year} and {LATEST.year}")
    return time


HANDLERS: Final[list[HTTPRouteHandler]] = [list_audit_entries, export_audit_log]
