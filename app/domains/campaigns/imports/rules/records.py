"""Reading the rows of a file as it arrives. Pure.

RFC 4180, and what programs make of it: a comma, a semicolon or a tab between the cells, lines that end with either or
both of CR and LF, a byte order mark or none, line breaks and doubled quotes in quotes.
"""

import codecs
from typing import Final

from app.domains.campaigns.imports.model import MAX_COLUMNS, MAX_RECORD_CHARS, FileRefused, Record
from app.kit.text import is_storable

DELIMITERS: Final = (",", ";", "\t")
NAMED: Final = "sep="
"""What a line of its own begins with that names the delimiter to a spreadsheet, which does not show it."""
MARK: Final = "\ufeff"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_TEXT: Final = "This is no CSV file in UTF-8. In Excel, save it as CSV UTF-8."
_NOT_UTF_8: Final = "The row is not UTF-8. In Excel, save the file as CSV UTF-8."
_NOT_CLOSED: Final = "A quotation mark is opened, and not closed again."
_BEHIND: Final = "There is text behind a closing quotation mark. Double the quotation marks within a cell."


class Reader:
    """Takes the bytes of a file, in parts of any size, and returns the rows that are complete, the header included.

    The header is row 1; empty lines have numbers as well, as a spreadsheet shows them, and are not returned.
    """

    def __init__(self, delimiter: str | None = None) -> None:
        """`delimiter`: what is between the cells; None: found in the first line."""
        self.delimiter = delimiter
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._number = 0
        self._begins = True
        self._is_first = True
        self._cells: list[str] = []
        self._parts: list[str] = []
        self._is_quoted = False
        self._fault: str | None = None
        self._chars = 0

    def feed(self, data: bytes, *, final: bool = False) -> list[Record]:
        """Raises FileRefused for a file that is none of text, and for a row that does not end."""
        if self._begins and data and (data.startswith(_UTF_16) or b"\0" in data[:4]):
            raise FileRefused(_NO_TEXT)
        self._text += self._decoder.decode(data, final)
        if self._begins and self._text:
            self._text = self._text.removeprefix(MARK)
            self._begins = False
        held = "" if final else "\r" if self._text.endswith("\r") else ""
        text = self._text.removesuffix(held) if held else self._text
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest = lines.pop()
        found = [record for line in lines if (record := self._take(line)) is not None]
        self._text = rest + held
        if len(self._text) > MAX_RECORD_CHARS:
            raise FileRefused(f"A row has more than {MAX_RECORD_CHARS:,} characters.")
        if final:
            if rest and (record := self._take(rest)) is not None:
                found.append(record)
            if self._is_quoted and (record := self._ended(_NOT_CLOSED)) is not None:
                found.append(record)
        return found

    def _take(self, line: str) -> Record | None:
        """The row that ends with a line; None: it goes on, or is empty."""
        if self._is_first:
            self._is_first = False
            if (named := _named_in(line)) is not None:
                self.delimiter = self.delimiter or named
                return None
            self.delimiter = self.delimiter or _delimiter_of(line)
        assert self.delimiter is not None
        if not self._is_quoted:
            self._number += 1
            if not line:
                return None
            if '"' not in line:
                return self._record(line.split(self.delimiter), None)
        self._chars += len(line) + 1
        if self._chars > MAX_RECORD_CHARS:
            raise FileRefused(f"Row {self._number}: {_NOT_CLOSED}")
        if self._is_complete(line, self.delimiter):
            return self._ended(self._fault)
        return None

    def _is_complete(self, line: str, delimiter: str) -> bool:
        """Takes the cells of a line with quotes. False: a quotation goes on in the next."""
        place = 0
        while True:
            if self._is_quoted:
                end = line.find('"', place)
                if end < 0:
                    self._parts += (line[place:], "\n")
                    return False
                self._parts.append(line[place:end])
                place = end + 1
                if line[place : place + 1] == '"':
                    self._parts.append('"')
                    place += 1
                    continue
                self._is_quoted = False
            elif line[place : place + 1] == '"':
                self._is_quoted = True
                place += 1
                continue
            end = line.find(delimiter, place)
            behind = line[place:] if end < 0 else line[place:end]
            if self._parts and behind.strip():
                self._fault = _BEHIND
            self._cells.append("".join(self._parts) if self._parts else behind)
            self._parts.clear()
            if end < 0:
                return True
            place = end + 1

    def _ended(self, fault: str | None) -> Record | None:
        cells, self._cells = self._cells, []
        self._parts, self._is_quoted, self._fault, self._chars = [], False, None, 0
        return self._record(cells, fault)

    def _record(self, cells: list[str], fault: str | None) -> Record | None:
        if len(cells) > MAX_COLUMNS:
            fault = f"The row has more than {MAX_COLUMNS} cells."
            cells = cells[:MAX_COLUMNS]
        if fault is None and not any(cells):
            return None
        if fault is None and any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
            fault = _NOT_UTF_8
        return Record(self._number, cells, fault)


def _named_in(line: str) -> str | None:
    """What a first line says that is between the cells; None: it is the header."""
    if len(line) != len(NAMED) + 1 or not line.lower().startswith(NAMED):
        return None
    named = line[-1]
    return named if named != '"' and is_storable(named, "\t") else None


def _delimiter_of(line: str) -> str:
    """What is most often between the cells of a header, outside of quotes."""
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)
