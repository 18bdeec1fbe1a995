"""A real mail server on loopback, for what is sent to it, and the files that mails are kept in otherwise."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec import Struct, field

from control.mail.mailer import Mailer

WAIT_S = 10.0


class Mailbox(Struct):
    """What has arrived; `refusals` are answers it gives instead, one a mail."""

    port: int = 0
    arrived: asyncio.Queue[Envelope] = field(default_factory=asyncio.Queue[Envelope])
    refusals: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """aiosmtpd's hook."""
        if self.refusals:
            return self.refusals.pop(0)
        self.arrived.put_nowait(envelope)
        return "250 taken"

    async def next(self) -> EmailMessage:
        """The next mail, as soon as it is there."""
        envelope = await asyncio.wait_for(self.arrived.get(), WAIT_S)
        assert isinstance(envelope.content, bytes)
        return message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)


@asynccontextmanager
async def listening() -> AsyncGenerator[Mailbox]:
    """A mail server without TLS on a free port."""
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", 0) as server:
        mailbox.port = server.sockets[0].getsockname()[1]
        yield mailbox


async def kept(mailer: Mailer) -> list[EmailMessage]:
    """The mails kept as files, in their order, once all that wait are delivered or kept."""
    async with asyncio.timeout(WAIT_S):
        await mailer.waiting.join()
    return files(mailer.directory)


def files(directory: Path) -> list[EmailMessage]:
    """The mails in a directory, in their order."""
    paths = sorted(directory.glob("*.eml"))
    return [message_from_bytes(it.read_bytes(), _class=EmailMessage, policy=policy.default) for it in paths]


def link_in(message: EmailMessage) -> str:
    """The address that the mail asks to open."""
    found = re.search(r"https?://\S+", message.get_content())
    assert found is not None, message.get_content()
    return found.group()
