"""The house's ladder: what Moneta itself buys and sells around the feed's price.

A pure function of the quote and of what was taken from it. Spread, range and depth follow from volume and volatility,
so that a large order in a quiet market pays for it. Nothing of the ladder is stored but how much was taken and when.

What was taken is missing for a minute. It does not return bit by bit: an order in slices, each after the next quote,
would be given the best levels again and again.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from app.domains.trading.exchange.model import Consumption, Level, Quote, Take
from app.domains.trading.exchange.rules.rounding import MAX_PRICE, MAX_UNITS, tick_above, tick_below
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE

LEVELS: Final = 20
REFILL_MS: Final = 60_000
"""For how long what was taken is missing, at least."""
TOGETHER_MS: Final = 5_000
"""What is taken within such a span returns together, after the refill of its end."""

_LEAST_HALF_SPREAD: Final = COIN * 2 // 100_000
_MOST_HALF_SPREAD: Final = COIN * 2 // 100
_ILLIQUID: Final = COIN * 2 // 1_000
"""What no volume at all adds to half the spread; a day's volume of `_HALF_VOLUME` adds half of it."""
_HALF_VOLUME: Final = 1_000_000 * COIN
_VOLATILITY_SHARE: Final = 200
"""Half the spread widens by this part of a day's standard deviation."""
_LEAST_RANGE: Final = COIN // 100
_MOST_RANGE: Final = COIN * 8 // 100
_LEAST_DEPTH: Final = 10_000 * COIN
_DEPTH_SHARE: Final = 500
"""Each side holds this part of a day's volume."""
_WEIGHTS: Final = LEVELS * (LEVELS + 1) // 2
_NOTHING: Final = Level(0, 0)


class Ladder(msgspec.Struct, frozen=True):
    """The whole ladder, best first. Bids are below the price, asks above it."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def half_spread(quote: Quote) -> int:
    """Half the spread, as a fraction of the price: more in a volatile market, less in a liquid one."""
    illiquid = _ILLIQUID * _HALF_VOLUME // (_HALF_VOLUME + max(0, quote.volume))
    wide = _LEAST_HALF_SPREAD + illiquid + max(0, quote.volatility) // _VOLATILITY_SHARE
    return min(_MOST_HALF_SPREAD, wide)


def ladder_of(quote: Quote) -> Ladder:
    """The ladder of a quote, nothing taken."""
    return Ladder(tuple(levels_of(quote, Side.BUY)), tuple(levels_of(quote, Side.SELL)))


def levels_of(quote: Quote, side: Side) -> Iterator[Level]:
    """One side of the ladder of a quote, nothing taken, best first."""
    half, price = half_spread(quote), quote.price
    width = min(_MOST_RANGE, _LEAST_RANGE + max(0, quote.volatility) // 2)
    dollars = max(_LEAST_DEPTH, quote.volume // _DEPTH_SHARE)
    # A side of one unit at least, and nothing that a column could not hold.
    coins = max(1, min(MAX_UNITS - 1, dollars * PRICE_SCALE // price))
    given = 0
    for number in range(LEVELS):
        # Deeper away from the price; together exactly what there is.
        upto = coins * (number + 1) * (number + 2) // (2 * _WEIGHTS)
        quantity, given = upto - given, upto
        if not quantity:
            continue
        away = half + width * number // LEVELS
        if side is Side.BUY:
            if bid := tick_below(price * (COIN - away) // COIN):
                yield Level(bid, quantity)
        elif (ask := tick_above(-(-price * (COIN + away) // COIN))) < MAX_PRICE:
            yield Level(ask, quantity)


def levels_left(levels: Iterable[Level], gone: int) -> list[Level]:
    """The levels after a quantity was taken, the nearest to the price first."""
    left: list[Level] = []
    for level in levels:
        if gone >= level.quantity:
            gone -= level.quantity
        elif gone:
            left.append(Level(level.price, level.quantity - gone))
            gone = 0
        else:
            left.append(level)
    return left


def consumed(consumption: Consumption, quantity: int, now: int) -> Consumption:
    """After a quantity was taken. It is missing until a quote that comes after its refill."""
    takes, until = consumption.takes, (now // TOGETHER_MS + 1) * TOGETHER_MS + REFILL_MS
    if takes and takes[-1].until >= until:
        newest = takes[-1]
        return Consumption((*takes[:-1], Take(newest.quantity + quantity, newest.until)))
    return Consumption((*takes, Take(quantity, until)))


def refilled(consumption: Consumption, now: int) -> Consumption:
    """At a new quote."""
    if not consumption.takes or consumption.takes[0].until > now:
        return consumption
    return Consumption(tuple(each for each in consumption.takes if each.until > now))


def quoted(quote: Quote, bids: Consumption, asks: Consumption, now: int) -> dict[Side, list[Level]]:
    """What the house buys and sells at a quote that comes now: pure, from the price, its volume and what was taken."""
    ladder = ladder_of(quote)
    return {
        Side.BUY: levels_left(ladder.bids, refilled(bids, now).gone),
        Side.SELL: levels_left(ladder.asks, refilled(asks, now).gone),
    }


class House:
    """The house in one book: its quote, and what is left of its ladder. A side is made when it is asked for."""

    __slots__ = ("_levels", "_touch", "quote", "taken")

    def __init__(self, quote: Quote | None, bids: Consumption, asks: Consumption) -> None:
        self.quote = quote
        self.taken: Final = {Side.BUY: bids, Side.SELL: asks}
        """What was taken of what the house buys, and of what it sells."""
        self._levels: Final[dict[Side, list[Level]]] = {}
        self._touch: tuple[int, int] | None = None

    def levels(self, side: Side, limit: int | None = None) -> list[Level]:
        """What is left of what the house buys or sells, the best at the end; maybe nothing where all of it is worse
        than a limit.
        """
        if limit is not None and self.quote is not None:
            # Bids are below the price and asks above it: what waits far from it needs no ladder.
            far = limit < self.quote.price if side is Side.SELL else limit > self.quote.price
            if far:
                return []
        found = self._levels.get(side)
        if found is None:
            whole: Iterable[Level] = () if self.quote is None else levels_of(self.quote, side)
            found = self._levels[side] = levels_left(whole, self.taken[side].gone)[::-1]
        return found

    @property
    def price(self) -> int:
        """The price of the quote in force; 0 if there is none."""
        return 0 if self.quote is None else self.quote.price

    @property
    def touch(self) -> tuple[int, int] | None:
        """The best bid and ask of the quote, whatever was taken of them; 0 where the price leaves no room for one."""
        if self._touch is None and self.quote is not None:
            bid, ask = (next(levels_of(self.quote, side), _NOTHING).price for side in (Side.BUY, Side.SELL))
            self._touch = bid, ask
        return self._touch

    def requote(self, quote: Quote, now: int) -> None:
        """Takes a new quote, and refills what time has refilled."""
        self.quote = quote
        for side in Side:
            self.taken[side] = refilled(self.taken[side], now)
        self._touch = None
        self._levels.clear()

    def withdraw(self) -> None:
        """Quotes nothing until the next price. What was taken stays taken."""
        self.quote = self._touch = None
        self._levels.clear()

    def offered(self, side: Side, limit: int, most: int) -> int:
        """How much of what the house buys or sells is no worse than a limit, up to `most`."""
        sign, offered = (1 if side is Side.SELL else -1), 0
        for level in reversed(self.levels(side, limit)):
            if sign * level.price > sign * limit or offered >= most:
                break
            offered += level.quantity
        return min(offered, most)

    def take(self, side: Side, quantity: int, now: int) -> None:
        """Takes from the best levels of what the house buys or sells. There has to be as much."""
        levels = self.levels(side)
        self.taken[side] = consumed(self.taken[side], quantity, now)
        while quantity:
            best = levels.pop()
            if best.quantity > quantity:
                levels.append(Level(best.price, best.quantity - quantity))
                return
            quantity -= best.quantity
