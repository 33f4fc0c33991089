"""The lines of each kind of entry. They balance in each asset, and are rounded against the portfolio."""

from collections.abc import Iterable, Mapping

from app.domains.trading.journal.model import (
    UNPAID,
    Account,
    Currency,
    Effects,
    EntryKind,
    ExternalFill,
    Fill,
    Line,
)
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE


def transfer_lines(currency: Currency, amount: int) -> tuple[Line, ...]:
    """Cash that comes from outside, or goes there if the amount is negative: openings, deposits, withdrawals."""
    return _without_zeros([Line(Account.CASH, currency, amount), Line(Account.EXTERNAL, currency, -amount)])


def ending_lines(
    currency: Currency, cash: int, positions: Mapping[str, int], coins_go: Account = Account.HOUSE
) -> tuple[Line, ...]:
    """Everything that a portfolio has: its cash goes outside, its coins to the house or outside as well."""
    lines = list(transfer_lines(currency, -cash))
    for symbol, quantity in sorted(positions.items()):
        lines += [Line(Account.POSITION, symbol, -quantity), Line(coins_go, symbol, quantity)]
    return _without_zeros(lines)


def fill_lines(fill: Fill) -> tuple[Line, ...]:
    """A fill against the house, which stands between all who trade.

    The buyer pays the price rounded up, the seller receives it rounded down, and what the buyer pays in excess is
    `rounding`; a buyer who has reserved less than the price rounded up pays what was reserved. A portfolio that is not
    in dollars changes money through `fx`, at the rate of the fill, rounded against it once more.

    Raises ValueError for a fill that cannot be.
    """
    if fill.quantity <= 0 or fill.price <= 0 or fill.fee < 0:
        raise ValueError(f"no such fill: {fill}")
    if (fill.currency is Currency.USD) is not (fill.fx_rate is None) or (
        fill.fx_rate is not None and fill.fx_rate <= 0
    ):
        raise ValueError(f"a rate is given exactly for another currency than dollars: {fill}")
    low, high = _rounded(fill.quantity * fill.price)
    paid = high if fill.paid is None else fill.paid
    if not low <= paid <= high:
        raise ValueError(f"this is not the price: {fill}")
    sign = 1 if fill.side is Side.BUY else -1
    dollars = -(paid + fill.fee) if fill.side is Side.BUY else low - fill.fee
    lines = [
        Line(Account.POSITION, fill.symbol, sign * fill.quantity),
        Line(Account.HOUSE, fill.symbol, -sign * fill.quantity),
        Line(Account.HOUSE, Currency.USD, sign * low),
        Line(Account.FEES, Currency.USD, fill.fee),
        Line(Account.ROUNDING, Currency.USD, paid - low if fill.side is Side.BUY else 0),
        *_cash_lines(fill, dollars),
    ]
    return _without_zeros(lines)


def external_fill_lines(fill: ExternalFill) -> tuple[Line, ...]:
    """A fill at an exchange, which stands outside. Raises ValueError for a fill that cannot be."""
    if fill.quantity <= 0 or min(fill.cost, fill.fee, fill.fee_coins) < 0 or fill.fee_coins >= fill.quantity:
        raise ValueError(f"no such fill: {fill}")
    sign = 1 if fill.side is Side.BUY else -1
    lines = [
        Line(Account.POSITION, fill.symbol, sign * fill.quantity - fill.fee_coins),
        Line(Account.EXTERNAL, fill.symbol, -sign * fill.quantity),
        Line(Account.FEES, fill.symbol, fill.fee_coins),
        Line(Account.CASH, Currency.USD, -sign * fill.cost - fill.fee),
        Line(Account.EXTERNAL, Currency.USD, sign * fill.cost),
        Line(Account.FEES, Currency.USD, fill.fee),
    ]
    return _without_zeros(lines)


def moved_lines(symbol: str, amount: int, value: int, to: Account = Account.EXTERNAL) -> tuple[Line, ...]:
    """Coins that come from elsewhere for a value in dollars; or go there, or to another account, if the amount is
    negative.
    """
    sign = 1 if amount > 0 else -1
    return _without_zeros(
        [
            Line(Account.POSITION, symbol, amount),
            Line(to, symbol, -amount),
            Line(Account.CASH, Currency.USD, -sign * value),
            Line(Account.EXTERNAL, Currency.USD, sign * value),
        ]
    )


def _cash_lines(fill: Fill, dollars: int) -> list[Line]:
    if fill.fx_rate is None:
        return [Line(Account.CASH, Currency.USD, dollars)]
    low, high = _rounded(dollars * fill.fx_rate)
    cash = low if fill.debit is None else -fill.debit
    if not low <= cash <= high:
        raise ValueError(f"this is not the price in another currency: {fill}")
    return [
        Line(Account.FX, Currency.USD, dollars),
        Line(Account.FX, fill.currency, -high),
        Line(Account.CASH, fill.currency, cash),
        Line(Account.ROUNDING, fill.currency, high - cash),
    ]


def excess_of(lines: Iterable[Line]) -> dict[str, int]:
    """By asset, by how much lines do not balance; empty if they do."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.asset] = sums.get(line.asset, 0) + line.amount
    return {asset: amount for asset, amount in sums.items() if amount}


def effects_of(kind: EntryKind, lines: Iterable[Line]) -> Effects:
    """What an entry does to its portfolio."""
    cash, contributed = 0, 0
    positions: dict[str, int] = {}
    for line in lines:
        match line.account:
            case Account.CASH:
                cash += line.amount
            case Account.POSITION:
                positions[line.asset] = positions.get(line.asset, 0) + line.amount
            case Account.EXTERNAL if kind not in UNPAID:
                contributed -= line.amount
    return Effects(cash, contributed, {symbol: amount for symbol, amount in positions.items() if amount})


def _rounded(exact: int) -> tuple[int, int]:
    """A product of units and price units, rounded down and up to units."""
    return exact // PRICE_SCALE, -(-exact // PRICE_SCALE)


def _without_zeros(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.amount)
