"""IP addresses, as they are stored and as limits count them."""

import ipaddress
from typing import Final

_IPV6_HOST_BITS: Final = 64


def source_of(ip: str | None) -> str | None:
    """Returns what attempts are counted against: an IPv4 address, or the /64 network of an IPv6 address."""
    address = ip_address(ip)
    if address is None:
        return None
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    # A dual-stack socket shows IPv4 addresses in this form. All of them are in one /64.
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_HOST_BITS), strict=False))


def ip_address(text: str | None) -> str | None:
    """Returns the address as Postgres stores it, or None if a proxy sent something else."""
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None
