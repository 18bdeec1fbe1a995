"""A real mail server beside the tests of browsers, whose own loop is taken."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from email.message import EmailMessage

from msgspec import Struct

from tests.control.mailbox import Mailbox, listening


class PostOffice(Struct):
    """Takes every mail; give its `url` to the system."""

    mailbox: Mailbox
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.mailbox.port}"

    def next_to(self, address: str) -> EmailMessage:
        """The next mail to an address; those to others on the way are dropped. Raises TimeoutError."""
        while True:
            mail = asyncio.run_coroutine_threadsafe(self.mailbox.next(), self.loop).result()
            if mail["To"] == address:
                return mail


@contextmanager
def open_post_office() -> Generator[PostOffice]:
    """On a free port, in a thread, for as long as the block runs."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    mailboxes: list[Mailbox] = []
    over = asyncio.Event()

    async def serve() -> None:
        async with listening() as mailbox:
            mailboxes.append(mailbox)
            started.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert started.wait(10), "the mail server did not start"
        yield PostOffice(mailboxes[0], loop)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
