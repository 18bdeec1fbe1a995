"""Audit log routes: who did what, page by page or as a file."""

from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from control.audit import export, queries
from control.audit.queries import Wanted
from control.audit.schemas import AuditEntry, AuditPage
from control.fields import DEFAULT_LIMIT, Cursor, Limit, read_time
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
Start = Annotated[
    str | None,
    QueryParameter(name="from", format="date-time", max_length=64, description="The earliest time, with its offset from UTC."),
]
End = Annotated[
    str | None, QueryParameter(name="to", format="date-time", max_length=64, description="The time before which it was done.")
]
Number = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
Format = Annotated[export.ExportFormat, QueryParameter(description="`csv` for spreadsheets, `jsonl` for programs.")]


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
    wanted = Wanted(actor, action, target, project_id, read_time(start), read_time(end))
    items = await queries.list_entries(connection, member.organization_id, wanted, cursor, limit + 1)
    return AuditPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@get(f"{AUDIT}/{{number:int}}", operation_id="getAuditEntry", tags=["Audit"], permission="audit:read")
async def get_audit_entry(number: Number, member: Member, connection: Connection) -> AuditEntry:
    """One change, by its number in the organization's log: what a link to it leads to."""
    return await queries.find_entry(connection, member.organization_id, number)


FILE: Final = {
    HTTP_200_OK: ResponseSpec(
        bytes, description="The file: text/csv or application/jsonl.", media_type="*/*", generate_examples=False
    )
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
    wanted = Wanted(actor, action, target, project_id, read_time(start), read_time(end))
    entries = queries.all_entries(database, member.organization_id, wanted)
    headers = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    return Stream(export.export(entries, format), media_type=export.MEDIA_TYPES[format], headers=headers)


HANDLERS: Final[list[HTTPRouteHandler]] = [list_audit_entries, get_audit_entry, export_audit_log]
