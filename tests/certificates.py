"""A certificate authority of the tests' own, and certificates of it as files."""

import ssl
from pathlib import Path
from typing import NamedTuple

import trustme

AUTHORITY = trustme.CA()


class Files(NamedTuple):
    """Where a certificate and its key lie."""

    certificate: Path
    key: Path

    @property
    def settings(self) -> dict[str, Path]:
        return {"tls_certificate": self.certificate, "tls_key": self.key}


def issue(directory: Path, *names: str) -> Files:
    """Write a new certificate for `names` (`127.0.0.1` if none), and its key, over what was there."""
    files = Files(directory / "certificate.pem", directory / "key.pem")
    issued = AUTHORITY.issue_cert(*(names or ("127.0.0.1",)))
    issued.private_key_pem.write_to_path(files.key)
    files.certificate.write_bytes(b"".join(it.bytes() for it in issued.cert_chain_pems))
    return files


def trusting() -> ssl.SSLContext:
    """A client's side, which trusts the authority."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context
