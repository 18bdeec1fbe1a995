"""API key secrets: `hr_<key id>_<secret>`; the database keeps only the SHA-256 of the last part."""

import base64
import hashlib
import hmac
import secrets
from typing import Final
from uuid import UUID

from msgspec import Struct

KEY_ID_CHARACTERS: Final = 12
KEY_ID_BYTES: Final = 8
SECRET_BYTES: Final = 24


class KeySecret(Struct, frozen=True):
    """The two parts of a key. Its text is a secret: show it once, log it never."""

    key_id: str
    secret: str

    @property
    def text(self) -> str:
        """What goes after `Authorization: Bearer`."""
        return f"hr_{self.key_id}_{self.secret}"

    @property
    def sha256(self) -> bytes:
        """What is stored and given to gateways."""
        return hashlib.sha256(self.secret.encode()).digest()


def new_key(key_id: str | None = None) -> KeySecret:
    """A random key with 192 bits of secret; hex, because the secret may hold no underscore. `key_id` is that of an old one."""
    return KeySecret(key_id or _key_id(secrets.token_bytes(KEY_ID_BYTES)), secrets.token_hex(SECRET_BYTES))


def console_key(secret: str, project_id: UUID) -> KeySecret:
    """The hidden key with which control calls the gateway for people trying a deployment of this project.

    Derived from the instance's secret, so that it need not be stored anywhere.
    """
    return KeySecret(_key_id(_derive(secret, f"console-key-id:{project_id}")), _derive(secret, f"console-key:{project_id}").hex())


def _key_id(entropy: bytes) -> str:
    return base64.b32encode(entropy).decode().lower()[:KEY_ID_CHARACTERS]


def _derive(secret: str, use: str) -> bytes:
    return hmac.new(secret.encode(), use.encode(), hashlib.sha256).digest()
