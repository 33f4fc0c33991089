"""What the rows of a file say of participants. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from app.domains.campaigns.imports.model import (
    ATTRIBUTE,
    Fault,
    GivenRow,
    GivenWallet,
    Record,
    RefusalReason,
)
from app.domains.campaigns.imports.rules.cells import unescaped
from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import address
from app.domains.campaigns.participants.model import Attribute
from app.domains.campaigns.participants.rules import RULES, check_username
from app.kit.errors import InvalidInput

_DIGITS: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_LOOKS_COUNTED: Final = re.compile(r"[0-9][0-9.,' ]*([eE]\+?[0-9]+)?", re.ASCII)
_YES: Final = frozenset({"true", "yes", "1", "t", "y"})
_NO: Final = frozenset({"false", "no", "0", "f", "n"})
_KNOWN_BY: Final = ("telegram_id", "discord_id", "username")
_TOO_MANY: Final = "The row has more cells than the header."
_WALLET_FIELDS: Final = {"wallet_address": None, "solana_address": Network.SOLANA, "ethereum_address": Network.ETHEREUM}


def rows_of(records: Sequence[Record], fields: Sequence[str], tenant: str, now: datetime) -> list[GivenRow]:
    """What records say, in order. `tenant`: the name of the tenant, which nobody is called."""
    return [_with_addresses(_row(each, fields, tenant, now), fields) for each in records]


def telegram_id(text: str) -> int:
    """Raises InvalidInput: also for what a spreadsheet has made of a number."""
    if _DIGITS.fullmatch(text):
        return int(text)
    if _LOOKS_COUNTED.fullmatch(text):
        message = "This is how a spreadsheet shows a number, not an ID. Format the column as text, without decimals."
        raise InvalidInput("telegram_id", message)
    raise InvalidInput("telegram_id", "An ID of Telegram is a whole number of digits.")


def _boolean(text: str) -> bool:
    lower = text.lower()
    if lower not in _YES | _NO:
        raise InvalidInput("field", "It is true or false, yes or no, 1 or 0.")
    return lower in _YES


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 1970 <= at.year <= 9998:
        raise InvalidInput("field", "It is a time with its zone by ISO 8601, such as 2026-01-31T12:00:00Z.")
    return at.astimezone(UTC)


def _network(text: str) -> Network:
    lower = text.lower()
    if lower not in {Network.SOLANA, Network.ETHEREUM}:
        raise InvalidInput("field", "The type of a wallet is solana or ethereum.")
    return Network(lower)


_CONVERTED: Final[Mapping[str, Callable[[str], Any]]] = {
    "telegram_id": telegram_id,
    "has_notifications": _boolean,
    "is_active": _boolean,
    "is_verified": _boolean,
    "solana_off_curve": _boolean,
    "wallet_type": _network,
    "last_active_at": _time,
}


def _row(record: Record, fields: Sequence[str], tenant: str, now: datetime) -> GivenRow:
    if record.fault is not None or any(cell.strip() for cell in record.cells[len(fields) :]):
        fault = Fault(None, RefusalReason.MALFORMED, record.fault or _TOO_MANY)
        return GivenRow(record.number, {}, {}, (), (fault,))
    values, attributes, faults = dict[str, Any](), dict[str, str](), list[Fault]()
    for field, cell in zip(fields, record.cells, strict=False):
        if not field or not cell or not (cell := cell if field.startswith(ATTRIBUTE) else cell.strip()):
            continue
        try:
            if field.startswith(ATTRIBUTE):
                attributes[field.removeprefix(ATTRIBUTE)] = unescaped(cell)
            elif field == "attributes":
                attributes |= _attributes(unescaped(cell))
            else:
                values[field] = _value(field, unescaped(cell), tenant)
        except InvalidInput as refused:
            faults.append(Fault(field, RefusalReason.INVALID, refused.message))
    _check_attributes(attributes, faults)
    if values.get("last_active_at", now) > now:
        faults.append(Fault("last_active_at", RefusalReason.INVALID, "This is in the future."))
    wallets = _wallets(values, faults)
    if not wallets and not faults and not any(each in values for each in (*_KNOWN_BY, "referral_code")):
        message = "A participant is known by an ID, a user name or a wallet."
        faults.append(Fault(None, RefusalReason.INVALID, message))
    return GivenRow(record.number, values, attributes, wallets, tuple(faults))


def _value(field: str, text: str, tenant: str) -> Any:
    """Raises InvalidInput."""
    convert, rule = _CONVERTED.get(field), RULES.get(field)
    value = convert(text) if convert is not None else text
    if rule is not None:
        value = rule(value)
    if field == "username":
        check_username(value, tenant)
    return value


def _attributes(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise InvalidInput("attributes", "It is an object of texts in JSON.")
    return found


def _check_attributes(attributes: Mapping[str, str], faults: list[Fault]) -> None:
    if attributes:
        try:
            RULES["attributes"](tuple(Attribute(*each) for each in attributes.items()))
        except InvalidInput as refused:
            faults.append(Fault("attributes", RefusalReason.INVALID, refused.message))


def _wallets(values: dict[str, Any], faults: list[Fault]) -> tuple[GivenWallet, ...]:
    """The wallets of a row, whose cells are no values of its participant."""
    off_curve, kind = bool(values.pop("solana_off_curve", False)), values.pop("wallet_type", Network.SOLANA)
    found = dict[Network, GivenWallet]()
    for field, fixed in _WALLET_FIELDS.items():
        if (text := values.pop(field, None)) is not None:
            network = fixed or kind
            if network in found:
                message = "There is at most one wallet in each network."
                faults.append(Fault(field, RefusalReason.INVALID, message))
            found[network] = GivenWallet(network, text, off_curve and network is Network.SOLANA)
    return tuple(found.values())


def _field_of(wallet: GivenWallet, fields: Sequence[str]) -> str:
    named = f"{wallet.network}_address"
    return named if named in fields else "wallet_address"


def _with_addresses(row: GivenRow, fields: Sequence[str]) -> GivenRow:
    wallets, faults = list[GivenWallet](), list(row.faults)
    for wallet in row.wallets:
        field, allows = _field_of(wallet, fields), wallet.allows_off_curve
        try:
            made = address(wallet.address, wallet.network, field, off_curve=allows)
        except InvalidInput as refused:
            faults.append(Fault(field, RefusalReason.INVALID, refused.message))
        else:
            wallets.append(GivenWallet(wallet.network, made, allows))
    return GivenRow(row.number, row.values, row.attributes, tuple(wallets), tuple(faults))
