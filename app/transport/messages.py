"""GraphQL requests as HTTP carries them: bodies, query strings and media types."""

import asyncio
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.transport.refusals import Refused
from app.transport.strict_json import decode

JSON: Final = "application/json"
GRAPHQL_JSON: Final = "application/graphql-response+json"
EVENT_STREAM: Final = "text/event-stream"
MULTIPART: Final = 'multipart/mixed;subscriptionSpec="1.0"'
"""Multipart with subscriptions, as an Accept header names it. Other kinds of multipart are other protocols."""
HTML: Final = "text/html"
TEXT: Final = "text/plain"

LARGE_BYTES: Final = 16 * 1024
"""JSON beyond this size is read in a thread."""

BODY_PATIENCE_S: Final = 10.0
"""Seconds within which a body must arrive."""

_MAX_ACCEPTED = 50
_NAMES = {"query": "query", "operationName": "operation_name", "variables": "variables", "extensions": "extensions"}
_CLOSE = {"connection": "close"}


class Params(msgspec.Struct, frozen=True):
    """What one request asks for."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    size_bytes: int = 0
    """Of the request."""


async def read_body(headers: Headers, receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises Refused as soon as it is too long or comes too slowly, ClientDisconnect when cut off."""
    too_long = Refused(
        f"The body is longer than {limit_bytes:,} bytes.", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers=_CLOSE
    )
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise too_long
    chunks: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk = message.get("body", b"")
                length += len(chunk)
                if length > limit_bytes:
                    raise too_long
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError as error:
        raise Refused(
            f"The body did not arrive within {BODY_PATIENCE_S:.0f} s.",
            status=HTTPStatus.REQUEST_TIMEOUT,
            headers=_CLOSE,
        ) from error


def check_content(headers: Headers) -> None:
    """Raises Refused for a body that is not plain JSON in UTF-8."""
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = next((value for name, value in _parameters(parameters) if name == "charset"), "utf-8")
    if kind.strip().lower() != JSON or charset not in {"utf-8", "utf8"}:
        raise Refused(
            f"Send the request as `content-type: {JSON}`, in UTF-8.",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            headers={"accept-post": JSON},
        )
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        # A small body that inflates to a large one would pass the limit.
        raise Refused(
            "Compressed bodies are not accepted.",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            headers={"accept-encoding": "identity"},
        )


def params_of_body(body: bytes) -> Params:
    """Reads a POST. Raises Refused."""
    if not body:
        raise Refused("The body is empty: send a JSON object with a `query`.")
    return _params(decode(body, "The body"), len(body))


def params_of_query(query_string: bytes) -> Params:
    """Reads a GET: variables and extensions are JSON. Raises Refused."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise Refused("The query string is not valid.") from error
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Refused(f"The query string repeats `{name}`.")
        found[name] = value
    for name in ("variables", "extensions"):
        if found.get(name):
            found[name] = decode(found[name].encode(), f"`{name}`")
    # A form sends its empty fields too.
    return _params({name: value for name, value in found.items() if value != ""}, len(query_string))


def _params(value: Any, size_bytes: int) -> Params:
    if isinstance(value, list):
        raise Refused("Batching is off: send one operation in a request, as a JSON object.")
    if not isinstance(value, dict):
        raise Refused("The request is not a JSON object.")
    if value.get("query") is None:
        raise Refused("`query` is missing.")
    try:
        fields = {ours: value[name] for name, ours in _NAMES.items() if name in value}
        return msgspec.convert({**fields, "size_bytes": size_bytes}, Params)
    except msgspec.ValidationError as error:
        wrong = next(name for name, ours in _NAMES.items() if not _fits(ours, value.get(name)))
        expected = "a string" if wrong in {"query", "operationName"} else "an object"
        raise Refused(f"`{wrong}` is not {expected}.") from error


def _fits(field: str, value: Any) -> bool:
    return value is None or isinstance(value, str if field in {"query", "operation_name"} else dict)


def accepted(accept: str | None) -> dict[str, float]:
    """Media ranges of an Accept header with their quality; without a header, anything."""
    if accept is None or not accept.strip():
        return {"*/*": 1.0}
    found: dict[str, float] = {}
    for entry in accept.split(",")[:_MAX_ACCEPTED]:
        kind, _, rest = entry.partition(";")
        parameters = dict(_parameters(rest))
        # We write UTF-8 and nothing else.
        if parameters.get("charset", "utf-8") in {"utf-8", "utf8", "*"}:
            is_multipart = kind.strip().lower() == "multipart/mixed" and parameters.get("subscriptionspec") == "1.0"
            found[MULTIPART if is_multipart else kind.strip().lower()] = _quality(parameters.get("q", "1"))
    return found


def quality_of(media_type: str, ranges: dict[str, float]) -> float:
    """The quality of a media type: 0 if it is not accepted."""
    for candidate in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0


def choose_json(ranges: dict[str, float]) -> str | None:
    """The JSON type to answer with; plain JSON if both are accepted by a wildcard alone. None: neither is accepted."""
    plain, graphql = quality_of(JSON, ranges), quality_of(GRAPHQL_JSON, ranges)
    if not plain and not graphql:
        return None
    if plain == graphql:
        return GRAPHQL_JSON if GRAPHQL_JSON in ranges else JSON
    return JSON if plain > graphql else GRAPHQL_JSON


def _parameters(text: str) -> list[tuple[str, str]]:
    pairs = (each.partition("=") for each in text.split(";") if "=" in each)
    return [(name.strip().lower(), value.strip().strip('"').lower()) for name, _, value in pairs]


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0
