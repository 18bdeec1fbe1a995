"""IPv4 and IPv6 ranges as people write them."""

from collections.abc import Iterable
from ipaddress import ip_network

from contracts.networks import Network
from control.keys.errors import KeyNetworksUnfit


def read_networks(texts: Iterable[str]) -> list[Network]:
    """Each once, in their order; a single address is the range of itself. Raises KeyNetworksUnfit."""
    return list(dict.fromkeys(_read(it.strip()) for it in texts))


def _read(text: str) -> Network:
    if "%" in text:
        raise KeyNetworksUnfit(f"{text!r} names an interface of some machine; leave out what follows the percent sign")
    try:
        return ip_network(text)
    except ValueError as error:
        raise KeyNetworksUnfit(f"{text!r} is no network: {error}; write it as 10.0.0.0/8 or 2001:db8::/32") from error
