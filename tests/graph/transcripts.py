"""Transcripts: what is asked of the graph, what it must answer, and how many SQL statements that may take.

`NN-name.graphql` holds named operations. `NN-name.json` beside it lists the steps, played in order in a world of their
own. A step has

- `operation`, `as` (a person of the world, `anonymous`, `<name>` of an access token, or `key:<name>` of an API key),
  `variables`;
- before it, perhaps: `wait` (seconds that pass), `mine` (blocks that the admin mines), `prices` (in dollars by symbol,
  to which the feed moves them); `plan` (that the person has from then on), `stub` (how the stub exchange is from then
  on), `exchange` (true, or `fills`: what is due there is done, and open orders are filled); `uploads` (files
  that are sent to `/uploads`; `<upload>` is the last one); `times` repeats the step;
- what must come of it: `data`, `errors` (but for their locations), `statements`;
- after it, perhaps: `idle` (true: what is queued waits for the next step), `file` (what is fetched from a `path` of an
  export: its `lines`), `mail` (what the worker then sends: `to`, `subject`, and what to `find` in the text by pattern;
  without it, nothing), `sign` (Carol signs these bytes; `<signature>` is the result).

`<name>` stands for a value of the world, or one that was kept; `<keep:name>` keeps what is found there for later steps;
`<hash>`, `<id:Block>` and the other KINDS stand for values of that form. `MONETA_RECORD=1` writes the answers anew:
what still fits stays as it is written.
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
RECORDING: Final = bool(os.environ.get("MONETA_RECORD"))
LINE_LENGTH: Final = 120

# Of a step, in the order in which they happen.
KEYS: Final = (
    "operation", "as", "tenant", "wait", "mine", "prices", "plan", "stub", "exchange", "uploads", "times",
    "variables", "statements", "data", "errors", "idle", "file", "mail", "sign"
)  # fmt: skip
KINDS: Final = {
    "hash": re.compile(r"[0-9a-f]{64}"),
    "hex": re.compile(r"([0-9a-f]{2}){33,}"),
    "jwt": re.compile(r"[\w-]{10,}\.[\w-]{10,}\.[\w-]{40,}"),
    "pem": re.compile(r"-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n"),
    "token": re.compile(r"[\w-]{43}"),
    "datetime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "cursor": re.compile(r"[\w-]{8,}"),
    "number": re.compile(r"\d+"),
}
# What its form does not identify, its field does.
KIND_OF_FIELD: Final = {
    "cursor": "cursor",
    "startCursor": "cursor",
    "endCursor": "cursor",
    "streamCursor": "cursor",
    "nonce": "number",
    "refreshToken": "token",
}
_PLACEHOLDER: Final = re.compile(r"<(?:(keep|id):)?([\w.-]+)>")


@dataclass(frozen=True)
class Transcript:
    """Operations and the steps that use them."""

    path: Path
    document: str
    steps: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> "Transcript":
        """The transcript whose operations are in `path`."""
        return cls(path, path.read_text(), json.loads(path.with_suffix(".json").read_text()))

    def write(self) -> None:
        """Stores the steps, as short as can be read."""
        steps = [{key: step[key] for key in KEYS if key in step} for step in self.steps]
        self.path.with_suffix(".json").write_text(written(steps) + "\n")


def transcripts() -> list[Path]:
    """The operations of every transcript, house by house, in order."""
    return sorted(HERE.glob("*/*.graphql"))


def filled(expected: Any, actual: Any, names: Mapping[str, str]) -> Any:
    """`expected` with each placeholder replaced by what it stands for: equal to `actual` if the answer fits.

    A placeholder that the value does not fit stays, so that a comparison shows it.
    """
    if isinstance(expected, dict):
        found = actual if isinstance(actual, dict) else {}
        return {key: filled(value, found.get(key), names) for key, value in expected.items()}
    if isinstance(expected, list):
        items = actual[: len(expected)] if isinstance(actual, list) else []
        return [filled(value, item, names) for value, item in zip_longest(expected, items)]
    placeholder = _PLACEHOLDER.fullmatch(expected) if isinstance(expected, str) else None
    if placeholder is None:
        return expected
    form, name = placeholder.groups()
    if form == "id":
        return actual if type_of_id(actual) == name else expected
    if form == "keep":
        return actual if isinstance(actual, str) else expected
    if name in KINDS:
        return actual if isinstance(actual, str) and KINDS[name].fullmatch(actual) else expected
    return names.get(name, expected)


def kept(expected: Any, actual: Any) -> dict[str, str]:
    """What `expected` asks to keep of `actual`, by name."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        pairs = [(value, actual.get(key)) for key, value in expected.items()]
    elif isinstance(expected, list) and isinstance(actual, list):
        pairs = list(zip(expected, actual, strict=False))
    else:
        placeholder = _PLACEHOLDER.fullmatch(expected) if isinstance(expected, str) else None
        keeps = placeholder is not None and placeholder[1] == "keep" and isinstance(actual, str)
        return {placeholder[2]: actual} if placeholder and keeps else {}
    return {name: text for pair in pairs for name, text in kept(*pair).items()}


def given(value: Any, names: Mapping[str, str]) -> Any:
    """Variables with values for names. KeyError for a name that nothing has."""
    if isinstance(value, dict):
        return {key: given(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [given(item, names) for item in value]
    if isinstance(value, str) and (placeholder := _PLACEHOLDER.fullmatch(value)):
        name = placeholder[2]
        if name not in names:
            raise KeyError(f"No step keeps `{name}`: write `<keep:{name}>` in the `data` of the step that returns it")
        return names[name]
    return value


def recorded(actual: Any, former: Any, names: Mapping[str, str], field: str = "") -> Any:
    """`actual` as it is written down: as formerly where that fits, else with names and placeholders."""
    if former is not None and filled(former, actual, names) == actual:
        return former
    if isinstance(actual, dict):
        before = former if isinstance(former, dict) else {}
        return {key: recorded(value, before.get(key), names, key) for key, value in actual.items()}
    if isinstance(actual, list):
        items = former[: len(actual)] if isinstance(former, list) else []
        return [recorded(value, item, names, field) for value, item in zip_longest(actual, items)]
    return _named(actual, names, field) if isinstance(actual, str) else actual


def _named(text: str, names: Mapping[str, str], field: str) -> str:
    for name, value in names.items():
        if value == text:
            return f"<{name}>"
    if field in KIND_OF_FIELD:
        return f"<{KIND_OF_FIELD[field]}>"
    if type_name := type_of_id(text):
        return f"<id:{type_name}>"
    for kind in ("hash", "hex", "jwt", "pem"):
        if KINDS[kind].fullmatch(text):
            return f"<{kind}>"
    # The tests' clock ticks in whole seconds: what has a fraction is from the database's own clock.
    if (moment := KINDS["datetime"].fullmatch(text)) and moment[1]:
        return "<datetime>"
    return text


def type_of_id(value: Any) -> str | None:
    """The type in a global id; None for whatever is not one."""
    try:
        text = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except (TypeError, ValueError, binascii.Error):
        return None
    found = re.fullmatch(r"([A-Z][A-Za-z]+):[0-9a-f-]+", text)
    return found[1] if found else None


def written(value: Any, indent: int = 0, before: int = 0) -> str:
    """JSON in which whatever fits on a line is on one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or (indent > 0 and indent + before + len(line) < LINE_LENGTH):
        return line
    inner = indent + 2
    if isinstance(value, dict):
        keys = {key: f"{json.dumps(key)}: " for key in value}
        items = [keys[key] + written(item, inner, len(keys[key])) for key, item in value.items()]
        opening, closing = "{}"
    else:
        items = [written(item, inner) for item in value]
        opening, closing = "[]"
    return f"{opening}\n" + ",\n".join(" " * inner + item for item in items) + f"\n{' ' * indent}{closing}"


def values_of(value: Any, key: str) -> Iterator[Any]:
    """Everything that `value` holds under `key`, at any depth."""
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from values_of(item, key)
