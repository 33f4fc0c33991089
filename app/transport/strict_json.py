"""Strict decoding of JSON."""

import re
from collections import deque
from typing import Any

import msgspec

from app.transport.refusals import Refused

_decoder = msgspec.json.Decoder()
# Escapes, each as a whole; the group matches lone surrogates, which are no text.
_ESCAPES = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]|(\\u[dD][89a-fA-F])|\\.", re.DOTALL)
# Every string of a JSON text; the group matches the keys.
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?', re.DOTALL)


def decode(data: bytes, what: str) -> Any:
    """Returns the value. Raises Refused for anything that is not strict JSON; `what` names it in the message."""
    try:
        data.decode("utf-8")
        value = _decoder.decode(data)
    except UnicodeDecodeError as error:
        raise Refused(f"{what} is not valid UTF-8.") from error
    except RecursionError as error:
        raise Refused(f"{what} is nested too deeply.") from error
    except msgspec.DecodeError as error:
        # msgspec would say that something ended too early.
        halved = any(match.group(1) for match in _ESCAPES.finditer(data))
        why = "a string holds half of a surrogate pair" if halved else error
        raise Refused(f"{what} is not valid JSON: {why}.") from error
    if _count_keys(value) != sum(1 for match in _STRINGS.finditer(data) if match.group(1)):
        raise Refused(f"{what} repeats a key: which of its values counts would be a guess.")
    return value


def _count_keys(value: Any) -> int:
    count = 0
    todo = deque([value])
    while todo:
        each = todo.popleft()
        if isinstance(each, dict):
            count += len(each)
            todo.extend(each.values())
        elif isinstance(each, list):
            todo.extend(each)
    return count
