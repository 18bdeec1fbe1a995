"""What a mail says, and the shape it travels in."""

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, make_msgid

from msgspec import Struct

from contracts.errors import Invalid
from control.mail.errors import AddressUnfit


class Letter(Struct, frozen=True):
    """A mail to one person, in plain text."""

    to: str
    subject: str
    """One line."""
    text: str


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The mail as it goes over the wire. Raises AddressUnfit or Invalid, so that nobody smuggles headers into it."""
    if not letter.subject.isprintable():
        raise Invalid("the subject of a mail is one line of printable text")
    message = EmailMessage()
    message["From"] = address(sender)
    message["To"] = address(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=address(sender).domain)
    message["Auto-Submitted"] = "auto-generated"  # so that no holiday notice answers it
    message.set_content(letter.text)
    return message


def one_line(text: str) -> str:
    """`text` fit for a subject: names of things may hold characters that would break a line or hide in it."""
    return "".join(it if it.isprintable() else " " for it in text)


def address(given: str) -> Address:
    """One bare mailbox, `name@domain`. Raises AddressUnfit."""
    try:
        found = Address(addr_spec=given)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise AddressUnfit(given) from error
    if not (found.username and found.domain) or not found.addr_spec.isprintable() or found.addr_spec != given:
        raise AddressUnfit(given)
    return found
