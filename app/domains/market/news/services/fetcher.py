"""Fetching documents from configured URLs: limited in size and time, and never from a private network.

A name is resolved once, and the connection goes to the address that was checked: a name that resolves differently
afterwards has no effect. Redirects are followed one by one, and each is checked.
"""

import asyncio
import ipaddress
import socket
import zlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from app.kit.errors import Unavailable
from app.kit.work import free_to_wait

MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_GZIP_BITS: Final = 16 + zlib.MAX_WBITS


class FeedFailed(Unavailable):
    """A feed could not be fetched."""


class FeedState(msgspec.Struct, frozen=True):
    """The validators of the last response, for conditional requests."""

    etag: str | None = None
    last_modified: str | None = None


class Document(msgspec.Struct, frozen=True):
    """A fetched document; its body is null if nothing has changed."""

    body: bytes | None
    url: str
    content_type: str | None
    state: FeedState


@dataclass(frozen=True)
class Fetcher:
    """Fetches documents over HTTP. `allows_private`: also from loopback and private networks, for tests."""

    timeout_s: float
    limit_bytes: int
    allows_private: bool = False

    async def get(self, url: str, state: FeedState) -> Document:
        """Returns the document, without a body if it has not changed since `state`. Raises FeedFailed."""
        free_to_wait("a feed")
        try:
            # No proxy of the environment: it would resolve the name itself.
            async with (
                asyncio.timeout(self.timeout_s),
                httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=self.timeout_s) as client,
            ):
                return await self._follow(client, url, state)
        except TimeoutError as error:
            raise FeedFailed(f"no whole answer within {self.timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError, zlib.error) as error:
            raise FeedFailed(f"{type(error).__name__}: {error}") from error

    async def _follow(self, client: httpx.AsyncClient, url: str, state: FeedState) -> Document:
        for _ in range(MAX_REDIRECTS + 1):
            request = await self._request(client, url, state)
            response = await client.send(request, stream=True)
            try:
                if response.status_code in _REDIRECTS:
                    url = _redirected(url, response.headers.get("location"))
                    continue
                return await self._document(response, url, state)
            finally:
                await response.aclose()
        raise FeedFailed(f"more than {MAX_REDIRECTS} redirects")

    async def _request(self, client: httpx.AsyncClient, url: str, state: FeedState) -> httpx.Request:
        parts = urlsplit(url)
        host, scheme = parts.hostname, parts.scheme.lower()
        if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
            raise FeedFailed("not an http or https address")
        port = parts.port or _DEFAULT_PORTS[scheme]
        address = await self._address(host, port)
        headers = {
            "Host": parts.netloc,
            "User-Agent": "Moneta (feed reader)",
            "Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8",
            "Accept-Encoding": "gzip",
        }
        if state.etag is not None:
            headers["If-None-Match"] = state.etag
        if state.last_modified is not None:
            headers["If-Modified-Since"] = state.last_modified
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        pinned = parts._replace(netloc=netloc, fragment="").geturl()
        return client.build_request("GET", pinned, headers=headers, extensions={"sni_hostname": host})

    async def _address(self, host: str, port: int) -> str:
        """Resolves the name. If one of its addresses is not public, the name is refused."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses:
            raise FeedFailed("the name leads nowhere")
        if not self.allows_private and not all(map(is_public, addresses)):
            raise FeedFailed("the address is not a public one")
        return addresses[0]

    async def _document(self, response: httpx.Response, url: str, state: FeedState) -> Document:
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return Document(None, url, None, state)
        if response.status_code != httpx.codes.OK:
            raise FeedFailed(f"status {response.status_code}")
        headers = response.headers
        body = await self._body(response)
        validators = FeedState(_header(headers.get("etag")), _header(headers.get("last-modified")))
        return Document(body, url, headers.get("content-type"), validators)

    async def _body(self, response: httpx.Response) -> bytes:
        """Returns the decompressed body, up to the limit: a small response can decompress to a huge one."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise FeedFailed("packed in a way that was not asked for")
        unpacking = zlib.decompressobj(_GZIP_BITS) if "gzip" in encoding else None
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk if unpacking is None else unpacking.decompress(chunk, self.limit_bytes + 1 - len(body))
            if len(body) > self.limit_bytes:
                raise FeedFailed(f"larger than {self.limit_bytes} bytes")
        if unpacking is not None and not unpacking.eof:
            raise FeedFailed("the answer breaks off")
        return bytes(body)


def is_public(address: str) -> bool:
    """Whether an IP address is public: not loopback, private, link-local or reserved."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def _redirected(url: str, location: str | None) -> str:
    if not location:
        raise FeedFailed("a redirect to nowhere")
    target = urljoin(url, location)
    if url.lower().startswith("https:") and not target.lower().startswith("https:"):
        raise FeedFailed("a redirect from https to something else")
    return target


def _header(value: str | None) -> str | None:
    # Validators are sent back unchanged; those that cannot be sent, or are too long, are dropped.
    return value if value is not None and len(value) <= 500 and value.isascii() and value.isprintable() else None
