"""Steps at random, of the kind that breaks exchanges: full balances, equal prices, gaps, dust, odd units."""

from collections.abc import Callable
from random import Random
from typing import Final

from app.dev.soak import model
from app.dev.soak.model import BASES, RATE, Action, Step
from app.dev.soak.world import World
from app.domains.trading.exchange.model import OrderType, TimeInForce
from app.domains.trading.exchange.rules.rounding import tick_at
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, units_of

MOST_OPEN: Final = 12
"""Open orders of a portfolio; then they are cancelled."""
_SYMBOLS: Final = tuple(BASES)
_TYPES: Final = (OrderType.LIMIT, OrderType.LIMIT, OrderType.LIMIT, *OrderType)
_IN_FORCE: Final = (TimeInForce.GOOD_TILL_CANCELLED,) * 3 + tuple(TimeInForce)
_AFTER_MS: Final = (0, 0, 1, 200, 1_500, 5_000)


def step(random: Random, world: World, number: int) -> Step:
    """The next step. `number` is that of an order that it places; it uses three."""
    draw = random.choices(_DRAWS, _WEIGHTS)[0]
    if (world.venue.is_halted or world.venue.halted_alone) and random.random() < 0.1:
        # Not for long: while trading is halted little happens.
        draw = halt
    action = draw(random, world, number)
    after = 61_000 if isinstance(action, model.Pause) and random.random() < 0.3 else random.choice(_AFTER_MS)
    return Step(action, after, is_matched=random.random() < 0.8)


def place(random: Random, world: World, number: int) -> Action:
    """An order of any kind."""
    at = random.randrange(len(world.portfolios))
    opened = world.books.open.get(world.portfolios[at].id, {})
    if len(opened) >= MOST_OPEN:
        return model.Cancel(random.choice(list(opened)).int)
    symbol = random.choice(_SYMBOLS)
    held = world.books.available_coins(world.portfolios[at].id, symbol)
    side = Side.SELL if held and random.random() < 0.6 else Side.BUY
    kind = random.choice(_TYPES)
    price = _price(world, symbol)
    parts: dict[str, object] = {"time_in_force": random.choice(_IN_FORCE)}
    if parts["time_in_force"] is TimeInForce.GOOD_TILL_DATE:
        parts["lives_ms"] = random.choice((1, 1_000, 5_000, 30_000))
    if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        parts["price"] = _near(random, world, symbol, price)
    if kind in (OrderType.STOP, OrderType.STOP_LIMIT):
        parts["stop_price"] = _near(random, world, symbol, price)
    if kind is OrderType.TRAILING_STOP:
        parts |= _trail(random, price)
    is_at_once = parts["time_in_force"] in (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)
    if kind is OrderType.LIMIT and not is_at_once and random.random() < 0.15:
        parts["is_post_only"] = True
    worst = parts.get("price") or price * 105 // 100
    assert isinstance(worst, int)
    if kind is OrderType.MARKET and random.random() < 0.4:
        parts["amount"] = _amount(random, world, at, held * price // PRICE_SCALE if side is Side.SELL else None)
    elif side is Side.SELL:
        parts["quantity"] = _part(random, held)
    else:
        parts["quantity"] = max(1, _amount(random, world, at, None) * PRICE_SCALE // worst)
        if random.random() < 0.25:
            parts["exits"] = _exits(random, price)
    return model.PlaceOrder(number=number, portfolio=at, symbol=symbol, side=side, type=kind, **parts)  # type: ignore[arg-type]


def cancel(random: Random, world: World, _: int) -> Action:
    """An order is cancelled."""
    row = _open_order(random, world)
    return model.Pause() if row is None else model.Cancel(row.id.int)


def replace(random: Random, world: World, _: int) -> Action:
    """An order is changed."""
    row = _open_order(random, world)
    if row is None or row.quantity is None:
        return model.Pause()
    price = _price(world, row.symbol)
    parts = dict[str, int]()
    if random.random() < 0.6:
        parts["quantity"] = max(1, units_of(row.quantity) * random.choice((1, 50, 99, 100, 101, 150, 200)) // 100)
    if row.price is not None and random.random() < 0.6:
        parts["price"] = _near(random, world, row.symbol, price)
    if row.stop_price is not None and random.random() < 0.6:
        parts["stop_price"] = _near(random, world, row.symbol, price)
    if row.trail_amount is not None:
        parts["trail_amount"] = max(1, price * random.randrange(1, 500) // 10_000)
    if row.trail_fraction is not None:
        parts["trail_fraction"] = random.randrange(1, COIN // 20)
    return model.Replace(number=row.id.int, **parts)


def tick(random: Random, world: World, _: int) -> Action:
    """Prices of one token or of all: small moves, trends, gaps, and rates beyond any buffer."""
    symbols = _SYMBOLS if random.random() < 0.2 else (random.choice(_SYMBOLS),)
    prices = dict[str, tuple[int, int]]()
    for symbol in symbols:
        base, before = BASES[symbol], _price(world, symbol)
        part = random.choice((0, 5, 20, 50, 200, 200)) if random.random() < 0.97 else 3_000
        usd = before + before * random.randint(-part, part) // 10_000 + (base - before) // 50
        usd = max(base // 3, min(base * 3, usd))
        rate = RATE + RATE * random.randint(-150, 150) // 10_000
        if random.random() < 0.1:
            rate = rate * random.randint(80, 125) // 100
        prices[symbol] = usd, max(1, usd * rate // PRICE_SCALE)
    volume = random.choice((0, 1_000_000, 50_000_000)) * COIN
    return model.Tick(prices, volume, random.choice((0, COIN // 50, COIN // 5)))


def transfer(random: Random, world: World, _: int) -> Action:
    """Cash comes or goes."""
    at = random.randrange(len(world.portfolios))
    available = world.books.available(world.portfolios[at].id)
    if random.random() < 0.5:
        return model.Transfer(at, -_part(random, max(1, available)))
    return model.Transfer(at, random.choice((1, COIN, 1_000 * COIN, 12_345_678_901)))


def close(random: Random, world: World, _: int) -> Action:
    """A portfolio ends."""
    return model.Close(random.randrange(len(world.portfolios)), random.random() < 0.4)


def halt(random: Random, world: World, _: int) -> Action:
    """Trading stops for a while."""
    halted = world.venue.halted_alone
    if world.venue.is_halted and random.random() < 0.8:
        return model.Resume(None)
    if halted and random.random() < 0.7:
        return model.Resume(random.choice(sorted(halted)))
    return model.Halt(random.choice((None, *_SYMBOLS)))


def delist(random: Random, _: World, __: int) -> Action:
    """A token ends."""
    return model.Delist(random.choice(_SYMBOLS))


def restart(_: Random, __: World, ___: int) -> Action:
    """The matcher starts anew."""
    return model.Restart()


def pause(_: Random, __: World, ___: int) -> Action:
    """Nothing happens, for so long that orders expire, or prices are too old."""
    return model.Pause()


_Draw = Callable[[Random, World, int], Action]
WEIGHTS: Final[dict[_Draw, float]] = {
    place: 45,
    cancel: 7,
    replace: 8,
    tick: 30,
    transfer: 3,
    close: 1,
    halt: 1.5,
    delist: 0.05,
    restart: 1,
    pause: 2,
}
"""How often each kind comes."""
_DRAWS: Final = tuple(WEIGHTS)
_WEIGHTS: Final = tuple(WEIGHTS.values())


def _price(world: World, symbol: str) -> int:
    found = world.price(symbol)
    return BASES[symbol] if found is None else found.quote.price


def _near(random: Random, world: World, symbol: str, price: int) -> int:
    """A price on a tick: near the price, far from it, or that of another order."""
    if random.random() < 0.2 and (row := _open_order(random, world)) is not None and row.symbol == symbol:
        other = row.price or row.stop_price
        if other is not None:
            return units_of(other, PRICE_SCALE)
    part = random.choice((10, 50, 50, 200, 1_000))
    found = price + price * random.randint(-part, part) // 10_000
    return max(1, found - found % tick_at(found))


def _trail(random: Random, price: int) -> dict[str, int]:
    if random.random() < 0.5:
        return {"trail_amount": max(1, price * random.randrange(1, 500) // 10_000)}
    return {"trail_fraction": random.randrange(1, COIN // 20)}


def _exits(random: Random, price: int) -> model.Exits:
    """Around the price; now and then on the wrong side of it."""
    profit = price + price * random.randint(-20, 400) // 10_000
    stop = price - price * random.randint(-20, 400) // 10_000
    limit = stop - stop * random.randint(0, 100) // 10_000
    profit, stop, limit = (each - each % tick_at(each) for each in (profit, stop, limit))
    return model.Exits(profit, stop, limit if random.random() < 0.3 else None)


def _amount(random: Random, world: World, at: int, most: int | None) -> int:
    """Dollars: a dollar and a bit, something, or nearly all that there is."""
    portfolio = world.portfolios[at]
    available = world.books.available(portfolio.id) if most is None else most
    if most is None and portfolio.currency != "USD":
        available = available * PRICE_SCALE // RATE * 97 // 100
    chance = random.random()
    if chance < 0.2:
        return COIN + random.randrange(100)
    if chance < 0.4:
        return random.randrange(COIN, 200 * COIN)
    if chance < 0.9:
        return max(1, available * random.randrange(1, 60) // 100)
    return max(1, available * COIN // (COIN + portfolio.taker_fee) - random.randrange(3))


def _part(random: Random, whole: int) -> int:
    """All of it, a bit less, a part, or nearly nothing."""
    chance = random.random()
    if chance < 0.3:
        return whole
    if chance < 0.4:
        return max(1, whole - random.randrange(1, 10))
    if chance < 0.9:
        return max(1, whole * random.randrange(1, 99) // 100)
    return max(1, min(whole, random.randrange(1, 1_000)))


def _open_order(random: Random, world: World) -> OrderRow | None:
    opened = [id for each in world.books.open.values() for id in each]
    return world.books.orders[random.choice(opened)] if opened else None
