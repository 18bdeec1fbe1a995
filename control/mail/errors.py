"""What can go wrong with a mail before it is on its way."""

from contracts.errors import Invalid, Overloaded


class AddressUnfit(Invalid):
    title = "E-mail address unfit"

    def __init__(self, address: str) -> None:
        super().__init__(f"no mail can be sent to {address!r}")


class MailQueueFull(Overloaded):
    title = "Too many mails waiting"

    def __init__(self) -> None:
        super().__init__("too many mails are waiting for the mail server; try again in a minute", retry_after_s=60)
