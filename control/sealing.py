"""Secrets that must be read again, as they are stored: of no use in another place or row, nor without the instance's secret."""

import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from control.identity.tokens import derived_key

NONCE_BYTES: Final = 12


class Unreadable(Exception):
    """It was sealed for another purpose or row, or with another instance's secret."""


def seal(text: str, purpose: str, of: UUID, instance_secret: str) -> bytes:
    """`text` as it is stored in the row `of`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(derived_key(instance_secret, purpose)).encrypt(nonce, text.encode(), of.bytes)


def unseal(sealed: bytes, purpose: str, of: UUID, instance_secret: str) -> str:
    """Raises Unreadable."""
    nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return AESGCM(derived_key(instance_secret, purpose)).decrypt(nonce, text, of.bytes).decode()
    except InvalidTag as error:
        raise Unreadable from error
