"""The signed tenant header cannot be made up, altered or kept."""

from uuid import UUID

import pytest

from contracts.errors import Unauthenticated
from contracts.tenancy import TENANT_LIFE_S, Tenant, sign_tenant, verify_tenant

TENANT = Tenant(UUID(int=1), UUID(int=2), issued_at=1_000)


def test_a_signed_tenant_comes_back_as_it_was() -> None:
    assert verify_tenant(sign_tenant(TENANT, "secret"), "secret", now=1_001) == TENANT


@pytest.mark.parametrize(
    "header", ["", ".", "a.b", "é.é", sign_tenant(TENANT, "other secret"), sign_tenant(TENANT, "secret")[:-1]]
)
def test_an_altered_header_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        verify_tenant(header, "secret", now=1_000)


def test_another_tenant_under_an_old_signature_is_refused() -> None:
    other = sign_tenant(Tenant(UUID(int=9), UUID(int=2), 1_000), "secret").partition(".")[0]
    signature = sign_tenant(TENANT, "secret").partition(".")[2]
    with pytest.raises(Unauthenticated, match="signature"):
        verify_tenant(f"{other}.{signature}", "secret", now=1_000)


def test_a_header_expires() -> None:
    with pytest.raises(Unauthenticated, match="expired"):
        verify_tenant(sign_tenant(TENANT, "secret"), "secret", now=1_000 + TENANT_LIFE_S + 1)
