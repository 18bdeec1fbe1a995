"""What can go wrong with service accounts."""

from uuid import UUID

from contracts.errors import Conflict, NotFound


class ServiceAccountNotFound(NotFound):
    title = "Service account not found"

    def __init__(self, service_account_id: UUID) -> None:
        super().__init__(f"no service account {service_account_id}")


class ServiceAccountNameTaken(Conflict):
    title = "Service account exists already"

    def __init__(self, name: str) -> None:
        super().__init__(f"this organization has a service account {name!r} already")


class TooManyServiceAccounts(Conflict):
    title = "Too many service accounts"

    def __init__(self, most: int) -> None:
        super().__init__(f"an organization has at most {most} service accounts; delete some first")
