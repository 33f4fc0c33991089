"""Dollar-cost averaging: buys for the same amount in regular intervals, whatever the price.

Formula: BUY for `amount_usd` at the first candle, and once `every_candles` times the length of a candle have passed
since the candle at which it last decided to. It goes by time, so that missing candles delay nothing but themselves. It
never sells: its entries are left by their take profits and stop losses.

Source: Benjamin Graham, "The Intelligent Investor" (revised edition of 1973), chapter 5, "The Defensive Investor and
Common Stocks".

Defaults: 100 dollars every 24 candles. Bounds: 1 to 1,000,000 dollars, 1 to 43,200 candles.

Confidence: 100 for a purchase, because the schedule alone decides; 50 otherwise.
"""

from collections.abc import Sequence

from app.domains.trading.strategies.model import Dca, DcaState, Decision, Entry, SignalType, State, Window
from app.domains.trading.strategies.rules.advice import hold, usd


def decide(config: Dca, window: Window, _entries: Sequence[Entry], state: State | None) -> Decision:
    """Buys if it is time."""
    bought = state if isinstance(state, DcaState) else None
    every = config.every_candles * window.interval.length
    if bought and window.closed_at - bought.bought_at < every:
        due_at = bought.bought_at + every
        last, following = f"{bought.bought_at:%Y-%m-%d %H:%M} UTC", f"{due_at:%Y-%m-%d %H:%M} UTC"
        return hold(f"It decided to buy at {last}, and does again at {following}.", state=bought)
    since = f"since {bought.bought_at:%Y-%m-%d %H:%M} UTC" if bought else "for the first time"
    return Decision(
        type=SignalType.BUY,
        confidence=100,
        reasoning=f"It buys for {usd(config.amount_usd)} every {config.every_candles} candles, now {since}.",
        state=DcaState(window.closed_at),
        amount_usd=config.amount_usd,
    )
