"""What may be said of a portfolio, and what it is worth."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from app.domains.trading.journal.model import Currency
from app.domains.trading.portfolios.model import (
    DEFAULT_NAME,
    INITIAL_BALANCE,
    MAX_AMOUNT,
    MAX_NAME_CHARS,
    HeldValue,
    Holding,
    LiveTradingUnavailable,
    Mode,
    NewPortfolio,
    PortfolioValue,
)
from app.domains.trading.quantities.rules import UNIT_DECIMALS
from app.kit.errors import Faults, InvalidInput
from app.kit.text import is_storable

_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_UNIT: Final = Decimal(f"1E-{UNIT_DECIMALS}")


def check_name(name: str) -> str:
    """The name as it is stored. Raises InvalidInput."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise InvalidInput("name", f"A name has 1 to {MAX_NAME_CHARS} characters.")
    if not is_storable(name):
        raise InvalidInput("name", "A name holds no control characters.")
    return name


def check_amount(amount: Decimal, field: str = "amount", *, least: Decimal = _UNIT) -> Decimal:
    """An amount of cash. Raises InvalidInput."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or not least <= amount <= MAX_AMOUNT:
        raise InvalidInput(field, f"An amount is {least:f} to {MAX_AMOUNT:,f}.")
    if amount != amount.quantize(_UNIT, context=_EXACT):
        raise InvalidInput(field, f"An amount has at most {UNIT_DECIMALS} decimals.")
    return amount


def check_new(new: NewPortfolio) -> tuple[str, Decimal]:
    """The name and the initial balance. Raises InvalidInput, LiveTradingUnavailable."""
    with Faults() as faults:
        name = DEFAULT_NAME if new.name is None else faults.check(check_name, new.name)
        balance = INITIAL_BALANCE
        if new.initial_balance is not None:
            balance = faults.check(check_amount, new.initial_balance, "initial_balance", least=Decimal(0))
        if new.mode is Mode.LIVE:
            if new.currency is not Currency.USD:
                faults.add("currency", "A live portfolio is in dollars.")
            if new.initial_balance is not None:
                faults.add("initial_balance", "A live portfolio begins with what its account holds.")
        elif new.exchange_account_id is not None:
            faults.add("exchange_account_id", "A paper portfolio belongs to no account.")
    if new.mode is Mode.LIVE and new.exchange_account_id is None:
        raise LiveTradingUnavailable
    return name, balance


def valued(holdings: Sequence[Holding], at: datetime, prices: Mapping[str, Decimal] | None = None) -> PortfolioValue:
    """What holdings are worth, at these prices where they have one, or else as they were read."""
    first = holdings[0]
    held = [_held(each, (prices or {}).get(each.symbol or "", each.price)) for each in holdings if each.symbol]
    value = sum((each.market_value for each in held if each.market_value is not None), Decimal(0))
    total = _EXACT.add(first.cash, value)
    pnl = _EXACT.subtract(total, first.contributed)
    return PortfolioValue(
        currency=first.currency,
        at=at,
        cash=first.cash,
        positions_value=value.quantize(_UNIT, context=_EXACT),
        total=total.quantize(_UNIT, context=_EXACT),
        contributed=first.contributed,
        pnl=pnl.quantize(_UNIT, context=_EXACT),
        return_fraction=_fraction(pnl, first.contributed),
        unquoted_symbols=[each.symbol for each in held if each.price is None],
        held=held,
    )


def _fraction(part: Decimal, whole: Decimal) -> Decimal | None:
    """A part of a whole; None if the whole is nothing."""
    return _EXACT.divide(part, whole).quantize(_UNIT, context=_EXACT) if whole > 0 else None


def _held(holding: Holding, price: Decimal | None) -> HeldValue:
    assert holding.symbol is not None
    assert holding.quantity is not None
    assert holding.cost is not None
    value = None if price is None else _EXACT.multiply(holding.quantity, price).quantize(_UNIT, context=_EXACT)
    return HeldValue(
        symbol=holding.symbol,
        currency=holding.currency,
        quantity=holding.quantity,
        price=price,
        market_value=value,
        unrealized_pnl=None if value is None else _EXACT.subtract(value, holding.cost),
    )
