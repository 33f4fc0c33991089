"""Cells that a spreadsheet would run as formulas. Pure.

As OWASP recommends, a cell that begins with one of these characters gets an apostrophe in front. So that every value is
read back as it was, so does one that begins with apostrophes before such a character.
"""

import re
from collections.abc import Iterable
from typing import Final

_BEGINNING: Final = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_QUOTED: Final = re.compile(r'[",;\t\r\n]|^\s|\s$')


def escaped(value: str) -> str:
    """A value as it is written into a cell."""
    return f"'{value}" if _BEGINNING.match(value) else value


def unescaped(cell: str) -> str:
    """The value of a cell."""
    return cell[1:] if cell.startswith("'") and _BEGINNING.match(cell) else cell


def line_of(values: Iterable[str]) -> str:
    """Values as a row of a file: separated by commas, quoted where they have to be, by RFC 4180."""
    return ",".join(_written(escaped(each)) for each in values) + "\r\n"


def _written(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell
