"""Where a key may be used, as every program that takes keys sees it."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether `address` is in one of `networks`; it may wrap IPv4 (`::ffff:10.0.0.1`), and what is no address is nowhere."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if found.version == 6 else None
    return any(found in it or (mapped is not None and mapped in it) for it in networks)
