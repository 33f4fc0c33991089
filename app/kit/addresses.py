"""IP addresses, as they are stored and as limits count them."""

import ipaddress
from functools import lru_cache
from typing import Final

_IPV6_HOST_BITS: Final = 64
_MOST_CHARS: Final = 45
_REMEMBERED: Final = 4096
"""Those who call, call again: so many addresses need not be parsed anew."""


def source_of(ip: str | None) -> str | None:
    """Returns what attempts are counted against: an IPv4 address, or the /64 network of an IPv6 address."""
    address = ip_address(ip)
    return None if address is None else _source_of(address)


def ip_address(text: str | None) -> str | None:
    """Returns the address as Postgres stores it, or None if a proxy sent something else."""
    if text is None:
        return None
    address = text.partition("%")[0]
    return None if len(address) > _MOST_CHARS else _stored(address)


@lru_cache(_REMEMBERED)
def _stored(address: str) -> str | None:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


@lru_cache(_REMEMBERED)
def _source_of(address: str) -> str:
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    # A dual-stack socket shows IPv4 addresses in this form. All of them are in one /64.
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_HOST_BITS), strict=False))
