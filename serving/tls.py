"""TLS for the listening ports: a certificate and its key, which may be renewed in place while the server runs."""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Final

from contracts.errors import SettingInvalid

logger = logging.getLogger(__name__)

CHECK_S: Final = 60.0
"""How often the files are looked at."""
HANDSHAKE_TIMEOUT_S: Final = 10.0

Stamp = tuple[tuple[int, int, int], ...]
"""Of each file what changes with it: inode, size, time of the last change."""


class Tls:
    """A server's side of TLS 1.2 and later; `context` is for HTTP/1.1 on the event loop, and stays the same."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """`certificate` may be followed by its chain; both are PEM. Raises SettingInvalid."""
        self.certificate, self.key = certificate, key
        self._stamp = self._look()
        self.context = self._load()
        self.pair = self._read()
        """Key and certificate in PEM, for who has no use for the context; another object once they are renewed."""

    @staticmethod
    def from_settings(certificate: str, key: str) -> "Tls | None":
        """None if neither file is named. Raises SettingInvalid if one is, or if they will not do."""
        if not certificate and not key:
            return None
        if not certificate or not key:
            missing = "HEADRACE_TLS_KEY" if certificate else "HEADRACE_TLS_CERTIFICATE"
            raise SettingInvalid(f"{missing} is not set: TLS takes a certificate and a key, or neither")
        return Tls(Path(certificate), Path(key))

    async def follow(self) -> None:
        """Take renewed files, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            await self.renew()

    async def renew(self) -> bool:
        """Take the files if they have changed; clients that connect from now on see the new certificate.

        Files that will not do are passed over with a line in the log, and the old ones go on.
        """
        try:
            stamp = await asyncio.to_thread(self._look)
            if stamp == self._stamp:
                return False
            await asyncio.to_thread(self._load)  # what fails, fails here: the context in use must not lose its key
            self.pair = await asyncio.to_thread(self._read)
            self.context.load_cert_chain(self.certificate, self.key, _no_password)
        except (SettingInvalid, OSError) as error:
            logger.error("the renewed certificate is not taken, the old one goes on: %s", error)
            return False
        self._stamp = stamp
        logger.info("took the renewed certificate %s", self.certificate)
        return True

    def _look(self) -> Stamp:
        try:
            found = [it.stat() for it in (self.certificate, self.key)]
        except OSError as error:
            raise SettingInvalid(f"{error.filename} cannot be read: {error.strerror}") from error
        return tuple((it.st_ino, it.st_size, it.st_mtime_ns) for it in found)

    def _read(self) -> tuple[bytes, bytes]:
        try:
            return self.key.read_bytes(), self.certificate.read_bytes()
        except OSError as error:
            raise SettingInvalid(f"{error.filename} cannot be read: {error.strerror}") from error

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_RENEGOTIATION
        try:
            context.load_cert_chain(self.certificate, self.key, _no_password)
        except ssl.SSLError as error:
            raise SettingInvalid(f"{self.certificate} and {self.key} are no certificate and its key: {_reason(error)}") from error
        except OSError as error:
            raise SettingInvalid(f"{self.certificate} or {self.key} cannot be read: {error.strerror}") from error
        return context


def _no_password() -> str:
    """Otherwise OpenSSL would ask the terminal for it."""
    return ""


def _reason(error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not the certificate's"
    return "one of them is not PEM, damaged, or encrypted with a password"
