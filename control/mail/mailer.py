"""Sending mail, in the background and one after the other.

Whoever posts a letter never waits for a mail server, and learns nothing from how long it took. What cannot be delivered, and
everything where no server is set, is kept as an `.eml` file: any mail program opens it.
"""

import asyncio
import logging
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from time import time_ns
from typing import Final

import aiosmtplib

from contracts.errors import SettingInvalid
from control.mail.errors import AddressUnfit, MailQueueFull
from control.mail.letters import Letter, address, compose
from control.mail.server import MailServer, read_server

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 1_000
MOST_KEPT: Final = 1_000
"""Files; the oldest go first."""
SEND_TIMEOUT_S: Final = 20.0
RETRY_AFTER_S: Final = (2.0, 10.0, 30.0)


class Mailer:
    """Takes letters and delivers them, as long as `deliver_forever` runs."""

    def __init__(
        self, server: MailServer | None, sender: str, directory: Path, retry_after_s: Sequence[float] = RETRY_AFTER_S
    ) -> None:
        self.server = server
        self.sender = sender
        self.directory = directory
        self.retry_after_s = retry_after_s
        self.waiting: asyncio.Queue[EmailMessage] = asyncio.Queue(MOST_WAITING)

    @property
    def is_sending(self) -> bool:
        """Whether letters reach people by themselves; else somebody must hand them on."""
        return self.server is not None

    def check_room(self, letters: int) -> None:
        """Raises MailQueueFull unless so many more may be posted now: ask before you change what they tell of."""
        if self.waiting.qsize() + letters > MOST_WAITING:
            raise MailQueueFull

    def post(self, letter: Letter) -> None:
        """Send `letter` soon. Raises AddressUnfit, Invalid or MailQueueFull."""
        message = compose(letter, self.sender)
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull as error:
            raise MailQueueFull from error

    async def deliver_forever(self) -> None:
        """Deliver what is posted; when it is stopped, what still waits is kept."""
        message: EmailMessage | None = None
        try:
            while True:
                message = await self.waiting.get()
                await self._deliver(message)
                message = None
                self.waiting.task_done()
        finally:
            if message is not None:
                self._keep(message)
            while not self.waiting.empty():
                self._keep(self.waiting.get_nowait())

    async def _deliver(self, message: EmailMessage) -> None:
        if self.server is None or not await self._send(self.server, message):
            await asyncio.to_thread(self._keep, message)

    async def _send(self, server: MailServer, message: EmailMessage) -> bool:
        """Whether the server took it, tried again while it may come to."""
        for wait_s in (*self.retry_after_s, None):
            try:
                await aiosmtplib.send(
                    message,
                    hostname=server.host,
                    port=server.port,
                    username=server.username,
                    password=server.password,
                    use_tls=server.tls == "from the start",
                    start_tls={"from the start": False, "required": True, "if offered": None}[server.tls],
                    timeout=SEND_TIMEOUT_S,
                )
                return True
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                logger.warning("a mail could not be sent by %s:%d: %s", server.host, server.port, type(error).__name__)
                if wait_s is None or _is_final(error):
                    return False
                await asyncio.sleep(wait_s)
        return False

    def _keep(self, message: EmailMessage) -> None:
        """Write a file that only this program's user reads: mails carry links that open accounts."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.directory / f"{time_ns()}.eml"
            path.touch(0o600, exist_ok=False)
            path.write_bytes(message.as_bytes())
            logger.info("kept a mail as %s", path)
            for oldest in sorted(self.directory.glob("*.eml"))[:-MOST_KEPT]:
                oldest.unlink(missing_ok=True)
        except OSError as error:
            logger.error("a mail could not be kept in %s: %s", self.directory, error.strerror)


def open_mailer(url: str, sender: str, directory: Path) -> Mailer:
    """A mailer by the settings. Raises SettingInvalid."""
    try:
        address(sender)
    except AddressUnfit as error:
        raise SettingInvalid(f"HEADRACE_MAIL_FROM: {error}") from error
    return Mailer(read_server(url), sender, directory)


def _is_final(error: Exception) -> bool:
    """Whether another try would be answered the same."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(it.code >= 500 for it in error.recipients)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return error.code >= 500
    return isinstance(error, ValueError | aiosmtplib.SMTPNotSupported)
