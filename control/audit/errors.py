"""What can go wrong with the audit log."""

from contracts.errors import NotFound


class AuditEntryNotFound(NotFound):
    title = "Audit entry not found"

    def __init__(self, number: int) -> None:
        super().__init__(f"no audit entry {number} in this organization")
