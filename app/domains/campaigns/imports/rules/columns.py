"""What the columns of a file are. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from app.domains.campaigns.imports.model import (
    ATTRIBUTE,
    MAX_CSV_CHARS,
    MAX_SHOWN,
    ColumnTarget,
    FileRefused,
    Header,
    NewImport,
)
from app.domains.campaigns.imports.rules.records import Reader
from app.kit.errors import Faults
from app.kit.text import is_storable

MAX_MAPPED: Final = 200
MAX_COLUMN_CHARS: Final = 255
_ATTRIBUTE: Final = re.compile(r"attributes\.([A-Za-z][A-Za-z0-9_.-]{0,63})", re.ASCII)
_BETWEEN: Final = re.compile(r"[\s_-]+")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "telegram_id": (),
    "discord_id": (),
    "username": (),
    "first_name": (),
    "last_name": (),
    "email": ("contact_email",),
    "locale": ("language",),
    "time_zone": ("local_time_zone",),
    "has_notifications": ("notifications",),
    "is_active": ("active",),
    "is_verified": ("verified",),
    "referral_code": (),
    "referrer_code": ("referred_by",),
    "wallet_address": (),
    "wallet_type": (),
    "solana_address": ("solana_wallet",),
    "solana_off_curve": (),
    "ethereum_address": ("ethereum_wallet",),
    "attributes": (),
    "last_active_at": (),
}
"""The fields of a participant, and other names that columns have for them."""
IGNORED: Final = ("id", "tenant_id", "created_at", "updated_at", "total_referrals")
"""What Moneta itself says of participants."""


def _plain(name: str) -> str:
    return _BETWEEN.sub("", name.strip()).lower()


_BY_NAME: Final = {_plain(each): field for field, others in FIELDS.items() for each in (field, *others)} | {
    _plain(each): "" for each in IGNORED
}


def check_new(new: NewImport) -> None:
    """Raises InvalidInput, which names all that is wrong."""
    with Faults() as faults:
        if new.csv is not None and len(new.csv) > MAX_CSV_CHARS:
            message = f"It has at most {MAX_CSV_CHARS:,} characters. Send larger files to /uploads."
            faults.add(("source", "csv"), message)
        elif new.csv is not None and any("\ud800" <= each <= "\udfff" for each in new.csv):
            faults.add(("source", "csv"), "It has characters that are no text.")
        names = [_plain(each.column) for each in new.mapping]
        if len(new.mapping) > MAX_MAPPED or len({*names}) < len(names):
            faults.add("mapping", f"It names at most {MAX_MAPPED} columns, each once.")
        for place, each in enumerate(new.mapping):
            if not 1 <= len(each.column) <= MAX_COLUMN_CHARS:
                faults.add(("mapping", str(place), "column"), f"It has 1 to {MAX_COLUMN_CHARS} characters.")
            if each.field is not None and _field_of(each.field) in {None, ""}:
                message = "It is the name of a field, such as telegram_id, or attributes. and the name of an attribute."
                faults.add(("mapping", str(place), "field"), message)


def header_of(first: bytes, mapping: Sequence[ColumnTarget], *, final: bool) -> Header:
    """How a file is to be read, from how it begins; `final`: that is all of it. Raises FileRefused, which is shown to
    who has sent it, and stored nowhere: the first line may be no header.
    """
    reader = Reader()
    records = reader.feed(first, final=final)
    if not records or reader.delimiter is None:
        raise FileRefused("The file has no header.")
    header = records[0]
    if header.fault is not None or not all(is_storable(each) for each in header.cells):
        raise FileRefused(f"The header cannot be read. {header.fault or 'It has control characters.'}")
    given = {_plain(each.column): each.field for each in mapping}
    if missing := [each.column for each in mapping if _plain(each.column) not in {*map(_plain, header.cells)}]:
        raise FileRefused("The mapping names columns that the file does not have.", _few(missing))
    fields, unknown = list[str](), list[str]()
    for cell in header.cells:
        plain = _plain(cell)
        field = (given[plain] or "") if plain in given else _field_of(cell)
        if field is None:
            unknown.append(cell)
        fields.append((field and _field_of(field)) or "")
    if unknown:
        message = "These columns are no fields of a participant. Map each to a field, or to null to leave it out."
        raise FileRefused(message, _few(unknown))
    if twice := [cell for cell, field in zip(header.cells, fields, strict=True) if field and fields.count(field) > 1]:
        raise FileRefused("Several columns are the same field.", _few(twice))
    if not any(fields):
        raise FileRefused("No column is a field of a participant.")
    return Header(reader.delimiter, tuple(fields))


def _field_of(name: str) -> str | None:
    """The field with this name; empty: one that is left out; None: there is none."""
    if (found := _ATTRIBUTE.fullmatch(name.strip())) is not None:
        return ATTRIBUTE + found[1]
    plain = _plain(name)
    return "" if not plain else _BY_NAME.get(plain)


def _few(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(each[:MAX_COLUMN_CHARS] for each in names[:MAX_SHOWN])
