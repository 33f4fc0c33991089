"""Arbitrage: buys while another exchange pays more, and sells once the two agree.

Formula: the difference is 100 (bid of the other exchange / price here - 1). BUY if it is at least
`entry_spread_percentage`, SELL if it is below `exit_spread_percentage`. Both trades are made here: nothing is moved
between exchanges or sold short, so that it earns only where this exchange's price follows the other's. The arithmetic
is that of whole numbers, and exact.

Source: convergence trading, the common definition; Evan Gatev, William Goetzmann and K. Geert Rouwenhorst, "Pairs
Trading", Review of Financial Studies 19 (2006), for one price in two places.

Defaults: in at 0.5 %, out at 0.1 %. Bounds: 0.01 to 50 %, the exit below the entry.

Confidence: one unit is `entry_spread_percentage` for a purchase, `exit_spread_percentage` for a sale.
"""

from collections.abc import Sequence
from decimal import Decimal

from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, units_of
from app.domains.trading.strategies.model import Arbitrage, Decision, Entry, SignalType, State, Window
from app.domains.trading.strategies.rules.advice import hold, number, signal, unknowing, usd


def decide(config: Arbitrage, window: Window, entries: Sequence[Entry], _state: State | None) -> Decision:
    """Buys a gap between two exchanges; sells when it has closed."""
    if (other := window.elsewhere) is None:
        return unknowing(f"Only one exchange quotes {window.symbol}, and arbitrage needs two.")
    price = units_of(window.price, PRICE_SCALE)
    above = 100 * COIN * (units_of(other.bid, PRICE_SCALE) - price)
    percent = above / (COIN * price)

    def gap(percentage: Decimal) -> int:
        """How far above the price here the bid is where the difference is so many percent."""
        return units_of(percentage) * price

    indicators = {
        "price": float(window.price),
        "elsewhereBid": float(other.bid),
        "elsewhereAsk": float(other.ask),
        "differencePercentage": percent,
    }
    side = "above" if above >= 0 else "below"
    where = (
        f"{other.exchange} pays {usd(other.bid)}, {number(abs(percent))}% {side} the price of {usd(window.price)} here"
    )
    if entries:
        leave = gap(config.exit_spread_percentage)
        if above < leave:
            reasoning = f"{where}; the gap is less than {number(config.exit_spread_percentage)}%."
            return signal(SignalType.SELL, (leave - above) / leave, reasoning, indicators)
        return hold(f"{where}; the gap has not closed to {number(config.exit_spread_percentage)}%.", indicators)
    enter = gap(config.entry_spread_percentage)
    if above >= enter:
        reasoning = f"{where}, at least {number(config.entry_spread_percentage)}%."
        return signal(SignalType.BUY, (above - enter) / enter, reasoning, indicators)
    return hold(f"{where}; it buys from {number(config.entry_spread_percentage)}% above.", indicators)
