"""What is sent for each scalar: values that it takes, values at its edges, and values that it should refuse."""

import base64
import itertools
import zlib
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLNamedType, GraphQLSchema, is_object_type

LONG = "x" * 10_000
TEXTS: list[Any] = [
    "a",
    "BTC",
    "",
    " ",
    "\t\n\r",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    LONG,
    "\u202eabc\u202c",
    "\u0634\u0643\u0631\u0627",
    "e\u0301" * 200,
    "\U0001f4b0" * 100,
    "\u00df\u0130\ufb00",
    "\ufeff\u200b\u2028\uffff",
    "\x7f\x1b[31m\x9f",
    "%_\\'\";--$1{}",
    "null",
    "9" * 400,
    "NaN",
    "-1",
    "http://[::1",
    "https://user:pass@\u00e9xample.com:99999/\u2028?q#f",
    "https://" + "a" * 2041,
    "https://a.b/" + "\u00e9" * 300,
    "a@b." + "c" * 260,
    "\u00e9@\u00fc.de",
    "'\"" * 60,
    '-x or "',
]
NUMBERS: list[Any] = [
    0,
    1,
    -1,
    100,
    101,
    2**31 - 1,
    -(2**31),
    2**31,
    -(2**63),
    2**63,
    10**30,
    10**400,
    1.5,
    1e308,
    -0.0,
]
DECIMALS: list[Any] = [
    "1",
    "0",
    "-0",
    "-1",
    "0.00000001",
    "0.000000001",
    "21000000",
    "92233720368.54775808",
    "184467440737.09551616",
    "99999999999999999999",
    "-99999999999999999999.999999999999999999",
    "0." + "0" * 17 + "1",
    "1" + "0" * 400,
    "NaN",
    "sNaN",
    "-Infinity",
    "1e5",
    "1.",
    ".5",
    "+1",
    "",
    "\u0661\u0662",
    "1\n",
    1.5,
    10**30,
]
MOMENTS: list[Any] = [
    "2026-11-21T12:00:00Z",
    "1970-01-01T00:00:00+00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.999999-14:00",
    "2026-11-21T12:00:00.123456789+00:00:59",
    "2026-11-21T24:00:00Z",
    "2026-02-30T12:00:00Z",
    "2026-11-21T12:00:00",
    "2026-11-21",
    "2026-W47-6",
    "-0001-01-01T00:00:00Z",
    "infinity",
    "now",
    "",
    "2026-11-21T12:00:00\0Z",
    "\u0662\u0660\u0662\u0666-11-21T12:00:00Z",
    1_800_000_000,
]
HASHES: list[Any] = [
    "0" * 64,
    "f" * 64,
    "F" * 64,
    "0" * 63,
    "0" * 64 + "\n",
    "\u0660" * 64,
    "",
    "g" * 64,
    "0x" + "0" * 62,
]
JSONS: list[Any] = [
    None,
    True,
    {},
    [],
    "",
    LONG,
    "a\0b",
    {"a\0b": 1},
    {"": {"__proto__": [None, 1.5, "\ud83d\ude00"]}},
    2**63,
    10**30,
    10**400,
    -(10**30),
    1e308,
    5e-324,
    -0.0,
    [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],
    {"deep": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]},
    ["x"] * 20_000,
]
WRONG_KINDS: list[Any] = [None, True, 7, {}, [], [[]], {"a": 1}]
COUNTS = (0, 101, 1001)
"""Lengths of lists, besides one."""


def encoded(data: bytes) -> str:
    """As opaque strings are written."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def ids(schema: GraphQLSchema) -> list[Any]:
    """Global ids of every type, of nothing, and of no type."""
    keys = [b"", b"\0", b"\xed\xa0\x80", b"00000000-0000-0000-0000-000000000000", b"9" * 400]
    kinds = [name for name, kind in sorted(schema.type_map.items()) if is_object_type(kind) and _is_node(kind)]
    made = [encoded(kind.encode() + b":" + key) for kind, key in itertools.product(kinds, keys)]
    return [
        *made,
        *TEXTS[:9],
        encoded(b"UserAccount"),
        encoded(b":"),
        encoded(b"Nothing:1"),
        "VXNlcjo=",
        "VXNlcjo===",
        5,
        10**30,
    ]


def cursors() -> list[Any]:
    """Cursors that no list gave out; some with the checksum that a former release would have accepted."""
    bodies = [
        b"[]",
        b"[1]",
        b"[99999999999999999999]",
        b'["sNaN"]',
        b'["a\\u0000b"]',
        b'["9999-12-31T23:59:59Z","' + b"f" * 36,
    ]
    checked = [encoded(zlib.crc32(b"blocks_page" + body).to_bytes(4, "big") + body) for body in bodies]
    streams = [encoded(bytes(8) + number.to_bytes(8, "big")) for number in (0, 1, 2**63, 2**64 - 1)]
    return [*checked, *streams, "A", "AA", "AAAA", "=", "====", "\u00e9", "\0", "A" * 500, "A" * 501, "", "-_-_"]


def hostile(kind: GraphQLNamedType, schema: GraphQLSchema) -> list[Any]:
    """What to send where one value of this type is wanted."""
    if isinstance(kind, GraphQLEnumType):
        return [*kind.values, "NOT_ONE", "", *WRONG_KINDS]
    if isinstance(kind, GraphQLInputObjectType):
        return [dict.fromkeys(kind.fields), "", *WRONG_KINDS]
    pools = {
        "String": TEXTS,
        "Int": NUMBERS,
        "Float": NUMBERS,
        "Boolean": [True, False, "true", 1],
        "Decimal": DECIMALS,
        "BigInt": DECIMALS,
        "Milliseconds": [*NUMBERS, 60_000, 60_001, 2**53 - 1, 2**53, "60000"],
        "DateTime": MOMENTS,
        "Hash": HASHES,
        "JSON": JSONS,
        "Cursor": cursors(),
        "ID": ids(schema),
    }
    return [*pools[kind.name], *WRONG_KINDS]


def _is_node(kind: Any) -> bool:
    return any(interface.name == "Node" for interface in kind.interfaces)
