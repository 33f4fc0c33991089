"""What the books say, compared with what an exchange says. Pure."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Final

import msgspec

from app.domains.trading.quantities.rules import UNIT_DECIMALS
from app.domains.trading.venues.model import (
    BooksOfAccount,
    DifferenceKind,
    Found,
    KnownTrade,
    RemoteOrder,
    RemoteTrade,
    SentNow,
    VenueOrderState,
)

CASH: Final = "USD"
_UNIT: Final = Decimal(1).scaleb(-UNIT_DECIMALS)


class Adjustment(msgspec.Struct, frozen=True):
    """What corrects a balance: what comes, or goes if it is negative. `value` is in dollars, 0 without a price."""

    asset: str
    amount: Decimal
    value: Decimal


def balance_differences(books: Iterable[BooksOfAccount], balances: Mapping[str, Decimal], quote: str) -> list[Found]:
    """Assets of which an account holds another quantity than the books say."""
    in_books = {each.asset: each.quantity for each in books}
    at_exchange = {
        CASH if asset == quote else asset: total.quantize(_UNIT, ROUND_DOWN) for asset, total in balances.items()
    }
    return [
        Found(DifferenceKind.BALANCE, asset, None, in_books.get(asset, Decimal(0)), at_exchange.get(asset, Decimal(0)))
        for asset in sorted(in_books.keys() | at_exchange.keys())
        if in_books.get(asset, Decimal(0)) != at_exchange.get(asset, Decimal(0))
    ]


def order_differences(sent: Iterable[SentNow], opened: Iterable[RemoteOrder]) -> list[Found]:
    """Orders that an exchange has open and we did not send, and those that we follow and it does not list."""
    sent, opened = list(sent), list(opened)
    ours = {(each.market, each.exchange_order_id) for each in sent} | {
        (each.market, each.id.hex) for each in sent if each.state == VenueOrderState.SENDING
    }
    listed = {(each.market, each.id) for each in opened}
    unknown = [
        Found(DifferenceKind.UNKNOWN_ORDER, f"{each.market} {each.id}", None, None, each.quantity)
        for each in opened
        if (each.market, each.id) not in ours and (each.market, each.client_id) not in ours
    ]
    missing = [
        Found(DifferenceKind.MISSING_ORDER, f"{each.market} {each.exchange_order_id}", each.order_id)
        for each in sent
        if each.state == VenueOrderState.OPEN and (each.market, each.exchange_order_id) not in listed
    ]
    return unknown + missing


def trade_differences(known: Iterable[KnownTrade], trades: Iterable[RemoteTrade]) -> list[Found]:
    """Trades of an account that are not of our orders, and those that were settled and that it does not list."""
    settled = {(each.market, each.trade_id) for each in known}
    listed = {(each.market, each.id): each for each in trades}
    unknown = [
        Found(DifferenceKind.UNKNOWN_TRADE, f"{market} {id}", None, None, each.quantity.quantize(_UNIT))
        for (market, id), each in sorted(listed.items())
        if (market, id) not in settled
    ]
    missing = [Found(DifferenceKind.MISSING_TRADE, f"{market} {id}") for market, id in sorted(settled - listed.keys())]
    return unknown + missing


def adjustment_of(found: Found, books: Mapping[str, BooksOfAccount]) -> Adjustment | None:
    """What corrects a balance, as far as orders have not reserved what would go; None: nothing can."""
    assert found.at_exchange is not None
    assert found.in_books is not None
    amount, held = found.at_exchange - found.in_books, books.get(found.subject)
    if amount < 0 and held is not None:
        amount = max(amount, held.reserved - held.quantity)
    if not amount:
        return None
    price = Decimal(1) if found.subject == CASH else Decimal(0) if held is None or held.price is None else held.price
    return Adjustment(found.subject, amount, (abs(amount) * price).quantize(_UNIT))
