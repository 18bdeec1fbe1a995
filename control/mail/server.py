"""The mail server that an operator names, as a URL."""

from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from contracts.errors import SettingInvalid

PORTS: Final = {"smtp": 587, "smtps": 465}


class MailServer(Struct, frozen=True):
    """Where mail is handed in."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: Literal["from the start", "required", "if offered"]
    """A password goes over TLS or not at all."""


def read_server(url: str) -> MailServer | None:
    """The server of `smtp://[user:password@]host[:port]` or `smtps://…`; None of an empty one. Raises SettingInvalid.

    With a password, or by `smtps`, nothing travels in the clear.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingInvalid("HEADRACE_SMTP_URL: this is no URL") from error  # it may hold a password: not repeated
    if parts.scheme not in PORTS or not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise SettingInvalid("HEADRACE_SMTP_URL: write smtp://[user:password@]host[:port], or smtps:// for TLS from the start")
    if (parts.username is None) != (parts.password is None):
        raise SettingInvalid("HEADRACE_SMTP_URL: a user needs a password, and a password a user")
    return MailServer(
        host=host,
        port=port or PORTS[parts.scheme],
        username=unquote(parts.username) if parts.username is not None else None,
        password=unquote(parts.password) if parts.password is not None else None,
        tls="from the start" if parts.scheme == "smtps" else "required" if parts.username is not None else "if offered",
    )
