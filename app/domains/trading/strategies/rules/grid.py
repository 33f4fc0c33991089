"""A grid: buys one slot at each level that the price falls through, and sells it one level higher.

Formula: `levels` prices from the lower to the upper bound, each the same factor above the one before; without bounds,
the first price seen is the middle and the bounds are `range_percentage` below and above it. The levels are rounded to
prices that orders can have, and kept in the state. At each candle every level that was below the price seen last and is
not below the close is bought, unless its slot is held. The take profit of a slot is the next level; nothing is
bought at the highest, so that there is one slot less than levels. The first candle only lays the levels. It never sells
by signal, not even below the lowest level: that is left to the stop losses.

Source: the common definition of grid trading, as exchanges offer it in their "spot grid" bots with geometric steps.

Defaults: 10 levels within 10 % of the first price. Bounds: 2 to 50 levels; 0.01 to 50 %; bounds from 10^-12 to under
10^12 dollars, both or none; levels at least 0.1 % apart.

Confidence of a purchase: 50 at the highest slot, 100 at the lowest, and evenly in between, by the lowest one bought.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from app.domains.trading.exchange.rules.rounding import MAX_PRICE, tick_above, tick_below
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of
from app.domains.trading.strategies.model import Decision, Entry, Grid, GridState, SignalType, Slot, State, Window
from app.domains.trading.strategies.rules.advice import hold, known, unknowing, usd

# Of our own, so that the levels do not depend on the precision that a thread happens to have.
_ARITHMETIC: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)


def decide(config: Grid, window: Window, entries: Sequence[Entry], state: State | None) -> Decision:
    """Buys the slots that the price has fallen to since the candle before."""
    price = window.price
    if not isinstance(state, GridState):
        levels = levels_of(config, price)
        if len(levels) < 2:
            return unknowing(f"The price of {usd(price)} is too low to lay a grid around it.")
        laid = GridState(levels, price)
        return hold(
            f"The grid is laid: {len(levels)} levels from {usd(levels[0])} to {usd(levels[-1])}.",
            _indicators(laid, entries),
            state=laid,
        )
    seen = GridState(state.levels, price)
    held = {entry.slot for entry in entries}
    reached = [
        Slot(number, seen.levels[number + 1])
        for number in reversed(range(len(seen.levels) - 1))
        if state.price > seen.levels[number] >= price
    ]
    slots = tuple(slot for slot in reached if slot.number not in held)
    indicators = _indicators(seen, entries)
    if not slots:
        return hold(_why_nothing(state.price, seen, len(reached)), indicators, state=seen)
    lowest, highest = slots[-1].number, slots[0].number
    which = f"slot {lowest}" if len(slots) == 1 else f"{len(slots)} slots of {lowest} to {highest}"
    return Decision(
        type=SignalType.BUY,
        confidence=100 - 50 * lowest // max(1, len(seen.levels) - 2),
        reasoning=(
            f"The price fell from {usd(state.price)} to {usd(price)}. It buys {which}, to sell one level higher, "
            f"the lowest at {usd(slots[-1].take_profit_price)}."
        ),
        indicators=known(indicators),
        state=seen,
        slots=slots,
    )


def levels_of(config: Grid, price: Decimal) -> tuple[Decimal, ...]:
    """The levels of a grid that is laid at a price: rising, on ticks. Where ticks are coarser, there are fewer."""
    lower, upper = config.lower_price, config.upper_price
    if lower is None or upper is None:
        part = _ARITHMETIC.divide(config.range_percentage, Decimal(100))
        lower = _ARITHMETIC.multiply(price, _ARITHMETIC.subtract(Decimal(1), part))
        upper = _ARITHMETIC.multiply(price, _ARITHMETIC.add(Decimal(1), part))
    factor = _ARITHMETIC.divide(upper, lower)
    levels = set[int]()
    for number in range(config.levels):
        exponent = _ARITHMETIC.divide(Decimal(number), Decimal(config.levels - 1))
        level = _ARITHMETIC.multiply(lower, _ARITHMETIC.power(factor, exponent))
        levels.add(_nearest_tick(int(_ARITHMETIC.to_integral_value(_ARITHMETIC.scaleb(level, 12)))))
    return tuple(decimal_of(level, PRICE_SCALE) for level in sorted(levels) if 0 < level < MAX_PRICE)


def _nearest_tick(price: int) -> int:
    below, above = tick_below(price), tick_above(price)
    return below if price - below <= above - price else above


def _indicators(state: GridState, entries: Sequence[Entry]) -> dict[str, float | None]:
    return {
        "lowestLevel": float(state.levels[0]),
        "highestLevel": float(state.levels[-1]),
        "levelsBelow": float(sum(level < state.price for level in state.levels)),
        "slotsHeld": float(len({entry.slot for entry in entries})),
    }


def _why_nothing(before: Decimal, seen: GridState, reached: int) -> str:
    moved = f"The price went from {usd(before)} to {usd(seen.price)}"
    if reached:
        return f"{moved}; what it fell to is held already."
    if seen.price < seen.levels[0]:
        return f"{moved}, below the lowest level of {usd(seen.levels[0])}."
    if seen.price > seen.levels[-1]:
        return f"{moved}, above the highest level of {usd(seen.levels[-1])}."
    return f"{moved}, and fell through no level."
