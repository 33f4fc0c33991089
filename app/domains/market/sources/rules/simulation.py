"""A simulated market: a common factor, betas, noise of each token, rare jumps, and stable pegs.

The logarithm of each price reverts to a reference: loosely to its base price for most, tightly to one dollar for a
stable coin or to the price of its anchor for a wrapped one. All randomness comes from a seed and the time, so the same
seed, start and times give the same prices on any machine, and another worker continues where one stopped.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import msgspec
import numpy as np

from app.domains.market.prices.model import Quote
from app.domains.market.sources.rules.profiles import AUD_PER_USD, Profile, money, price

Array: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
Whole: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"

MARKET_VOLATILITY = 0.45
"""The annual volatility of the factor that all tokens share."""
LONGEST_STEP_S = 60.0
"""The maximum length of a step, so that prices do not jump at a restart."""

_YEAR_S = 365 * 86400.0
_DAY_HOURS = 24
_JUMP_SIZE = 0.03
_MARKET_JUMPS_PER_S = 0.5 / 86400
_MARKET_JUMP_SIZE = 0.012
_VOLUME_SPREAD = 0.35
_VOLUME_PULL_PER_S = 1 / (4 * 3600.0)
_VOLUME_PER_JUMP = 8.0


class Simulation:
    """The prices of all tokens at a time, and the step to the next."""

    def __init__(self, profiles: Sequence[Profile], *, seed: int, last: Mapping[str, Quote]) -> None:
        """`last` has the quote from which each token continues, for every profile."""
        self._profiles = profiles
        self._seed = seed
        self._market = _Market(profiles)
        quotes = [last[profile.symbol] for profile in profiles]
        self._at_s = max((quote.at.timestamp() for quote in quotes), default=0.0)
        self._prices = np.array([float(quote.price_usd) for quote in quotes])
        self._supply = np.array([profile.supply for profile in profiles])
        usual = np.array([profile.volume_24h for profile in profiles])
        volumes = np.array([float(quote.volume_24h_usd or 0) for quote in quotes])
        self._usual_volume = usual
        # The logarithm of the volume of each relative to its usual one.
        self._busy = np.where(volumes > 0, np.log(np.maximum(volumes, 1.0) / usual), 0.0)
        self._day = _Day(quotes, self._prices, self._at_s)

    @property
    def symbols(self) -> list[str]:
        """The tokens, in the order of the profiles."""
        return [profile.symbol for profile in self._profiles]

    def step(self, at: datetime) -> list[Quote]:
        """Moves to `at` and quotes every token. A time that is not after the last step moves no price."""
        now_s = at.timestamp()
        if now_s > self._at_s:
            elapsed_s = min(now_s - self._at_s, LONGEST_STEP_S)
            # Words of the counter: the lowest is that of the generator, the next is the simulated millisecond.
            chance = np.random.Generator(np.random.Philox(key=self._seed, counter=[0, int(now_s * 1000), 0, 0]))
            self._prices, jumps = self._market.move(self._prices, elapsed_s, chance)
            calm = np.exp(-_VOLUME_PULL_PER_S * elapsed_s)
            noise = chance.standard_normal(len(jumps)) * _VOLUME_SPREAD * np.sqrt(1 - calm**2)
            self._busy = np.minimum(self._busy * calm + noise + _VOLUME_PER_JUMP * np.abs(jumps), 3.0)
            self._at_s = now_s
            self._day.see(self._prices, now_s)
        elif self._at_s - now_s > LONGEST_STEP_S:
            # A clock was wrong: the simulation continues from here, and does not wait until then.
            self._at_s = now_s
        return self._quotes(at)

    def _quotes(self, at: datetime) -> list[Quote]:
        volumes = (self._usual_volume * np.exp(self._busy)).tolist()
        caps = (self._prices * self._supply).tolist()
        before, highs, lows = self._day.summary()
        quoted = zip(self.symbols, self._prices.tolist(), volumes, caps, before, highs, lows, strict=True)
        return [
            Quote(
                symbol=symbol,
                at=at,
                price_usd=price(now),
                price_aud=price(now * AUD_PER_USD),
                volume_24h_usd=money(volume),
                volume_24h_aud=money(volume * AUD_PER_USD),
                change_24h=Decimal(f"{now - then:.12f}"),
                change_percentage_24h=Decimal(f"{100 * (now / then - 1):.4f}"),
                market_cap_usd=money(cap),
                market_cap_aud=money(cap * AUD_PER_USD),
                high_24h=price(high),
                low_24h=price(low),
            )
            for symbol, now, volume, cap, then, high, low in quoted
        ]


class Path(msgspec.Struct, frozen=True):
    """Candles of one token, oldest first, one array for each column. Prices and volumes are in dollars."""

    symbol: str
    opened_at_s: Whole
    """The opening time of each, in seconds since 1970."""
    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array

    def rolled_up(self, count: int) -> "Path":
        """Returns candles that are `count` times as long. The length must be a multiple of `count`."""

        def rows(column: Array) -> Array:
            return column.reshape(-1, count)

        return Path(
            self.symbol,
            self.opened_at_s[::count],
            rows(self.open)[:, 0],
            rows(self.high).max(axis=1),
            rows(self.low).min(axis=1),
            rows(self.close)[:, -1],
            rows(self.volume).sum(axis=1),
        )


def paths(
    profiles: Sequence[Profile],
    *,
    seed: int,
    start: datetime,
    count: int,
    step_s: int = 60,
    ends: Mapping[str, float] | None = None,
) -> Iterator[Path]:
    """Yields history: `count` candles of `step_s` from `start` for each profile, one token in memory at a time.

    The last close of each is its price in `ends`, or else its base price. A token's path depends on the seed, the
    start, its own profile and its anchor's, and on no other token.
    """
    market = _factor(seed, start, count, step_s)
    by_symbol = {profile.symbol: profile for profile in profiles}
    ends = ends or {}
    times = np.arange(count, dtype=np.int64) * step_s + int(start.timestamp())
    anchored: dict[str, Array] = {}

    def level(profile: Profile) -> Array:
        """Returns the logarithm of the price at each border of a candle, with the given last one."""
        logs = _wandering(profile, market, step_s, _chance(seed, f"token {profile.symbol}", start))
        anchor = by_symbol.get(profile.anchor or "")
        if anchor is not None:
            if anchor.symbol not in anchored:
                anchored[anchor.symbol] = level(anchor)
            logs += anchored[anchor.symbol]
        return np.asarray(logs + (np.log(ends.get(profile.symbol, profile.base_price)) - logs[-1]))

    for profile in profiles:
        mover = by_symbol.get(profile.anchor or "", profile)
        spread = float(np.hypot(mover.volatility, mover.beta * MARKET_VOLATILITY) * np.sqrt(step_s / _YEAR_S))
        chance = _chance(seed, f"candles {profile.symbol}", start)
        yield _candles(profile, times, level(profile), spread=spread, step_s=step_s, chance=chance)


class _Market:
    """The parameters of all tokens as arrays; a step is a few operations on them."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        places = {profile.symbol: place for place, profile in enumerate(profiles)}
        self._log_base = np.log([profile.base_price for profile in profiles])
        self._beta = np.array([profile.beta for profile in profiles])
        self._volatility = np.array([profile.volatility for profile in profiles])
        self._pull = np.array([profile.pull_per_s for profile in profiles])
        self._jump_rate = np.array([profile.jumps_per_s for profile in profiles])
        following = [(places[p.symbol], places[p.anchor], p.ratio) for p in profiles if p.anchor in places]
        self._followers = np.array([follower for follower, _, _ in following], dtype=np.intp)
        self._anchors = np.array([anchor for _, anchor, _ in following], dtype=np.intp)
        self._log_ratio = np.log([ratio for _, _, ratio in following])

    def move(self, prices: Array, elapsed_s: float, chance: np.random.Generator) -> tuple[Array, Array]:
        """Returns the prices `elapsed_s` later, and how far each jumped (0 for most)."""
        shared, step = _draw_market(chance, elapsed_s), np.sqrt(elapsed_s / _YEAR_S)
        noise = chance.standard_normal(len(prices))
        happened = chance.random(len(prices)) < self._jump_rate * elapsed_s
        jumps = np.where(happened, chance.standard_normal(len(prices)) * _JUMP_SIZE, 0.0)
        logs = np.log(prices)
        distance = (logs - self._references(logs)) * np.exp(-self._pull * elapsed_s)
        distance += self._beta * shared + self._volatility * step * noise + jumps
        base = self._log_base + distance
        # An anchor moves before its followers, and follows no other token itself.
        base[self._followers] = base[self._anchors] + self._log_ratio + distance[self._followers]
        return np.asarray(np.exp(base)), jumps

    def _references(self, logs: Array) -> Array:
        references = self._log_base.copy()
        references[self._followers] = logs[self._anchors] + self._log_ratio
        return references


class _Day:
    """The last 24 hours of all tokens by the hour, for the change, the high and the low of a day."""

    def __init__(self, quotes: Sequence[Quote], prices: Array, at_s: float) -> None:
        before = np.array([float(q.price_usd - (q.change_24h or 0)) for q in quotes])
        before = np.where(before > 0, before, prices)
        highs = np.array([float(q.high_24h or q.price_usd) for q in quotes])
        lows = np.array([float(q.low_24h or q.price_usd) for q in quotes])
        # Without hourly history, the day is a straight line with its extremes in the middle.
        share = np.linspace(0, 1, _DAY_HOURS + 1)[:, None]
        self._opens = before * (1 - share) + prices * share
        self._highs, self._lows = self._opens.copy(), self._opens.copy()
        self._highs[_DAY_HOURS // 2] = np.maximum(highs, self._highs[_DAY_HOURS // 2])
        self._lows[_DAY_HOURS // 2] = np.minimum(lows, self._lows[_DAY_HOURS // 2])
        self._hour = int(at_s // 3600)

    def see(self, prices: Array, at_s: float) -> None:
        """Adds the prices of a time."""
        hours = min(int(at_s // 3600) - self._hour, _DAY_HOURS + 1)
        if hours > 0:
            for rows in (self._opens, self._highs, self._lows):
                rows[:-hours] = rows[hours:]
                rows[-hours:] = prices
            self._hour = int(at_s // 3600)
        np.maximum(self._highs[-1], prices, out=self._highs[-1])
        np.minimum(self._lows[-1], prices, out=self._lows[-1])

    def summary(self) -> tuple[list[float], list[float], list[float]]:
        """Returns for each token its price a day ago, and its high and low since."""
        return self._opens[0].tolist(), self._highs.max(axis=0).tolist(), self._lows.min(axis=0).tolist()


def _draw_market(chance: np.random.Generator, elapsed_s: float) -> float:
    moved = chance.standard_normal() * MARKET_VOLATILITY * np.sqrt(elapsed_s / _YEAR_S)
    jumped = chance.random() < _MARKET_JUMPS_PER_S * elapsed_s
    return float(moved + chance.standard_normal() * _MARKET_JUMP_SIZE * jumped)


def _factor(seed: int, start: datetime, count: int, step_s: int) -> Array:
    """Returns how far the market moves in each step."""
    chance = _chance(seed, "market", start)
    moves = chance.standard_normal(count) * (MARKET_VOLATILITY * np.sqrt(step_s / _YEAR_S))
    happened = chance.random(count) < _MARKET_JUMPS_PER_S * step_s
    moves += happened * chance.standard_normal(count) * _MARKET_JUMP_SIZE
    return np.asarray(moves)


def _chance(seed: int, purpose: str, start: datetime) -> np.random.Generator:
    """Returns a random generator for one purpose, which other draws do not affect."""
    digest = hashlib.blake2b(f"{seed}:{int(start.timestamp())}:{purpose}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest)))


def _wandering(profile: Profile, market: Array, step_s: int, chance: np.random.Generator) -> Array:
    """Returns the logarithmic distance of a token from its reference at the borders of the steps, from 0."""
    moves = chance.standard_normal(len(market)) * (profile.volatility * np.sqrt(step_s / _YEAR_S))
    moves += profile.beta * market
    happened = chance.random(len(market)) < profile.jumps_per_s * step_s
    moves += happened * chance.standard_normal(len(market)) * _JUMP_SIZE
    return np.concatenate([[0.0], _decaying_sum(moves, profile.pull_per_s * step_s)])


def _decaying_sum(moves: Array, decay: float) -> Array:
    """x[i] = exp(-decay) * x[i-1] + moves[i], in blocks that are so short that no power of it is near zero."""
    block = max(1, int(20 / decay))
    out, last = np.empty_like(moves), 0.0
    for begin in range(0, len(moves), block):
        part = moves[begin : begin + block]
        powers = np.exp(-decay * np.arange(1, len(part) + 1))
        out[begin : begin + block] = powers * (last + np.cumsum(part / powers))
        last = float(out[begin + len(part) - 1])
    return out


def _candles(
    profile: Profile, times: Whole, borders: Array, *, spread: float, step_s: int, chance: np.random.Generator
) -> Path:
    """`spread`: how far the price goes in a step, as a standard deviation of its logarithm."""
    opens, closes = borders[:-1], borders[1:]
    middle, half = (opens + closes) / 2, (closes - opens) / 2
    # The extreme of a Brownian bridge has a closed form.
    up, down = (np.sqrt(half**2 - spread**2 / 2 * np.log1p(-chance.random(len(opens)))) for _ in range(2))
    usual = profile.volume_24h * step_s / 86400
    noise = np.exp(chance.standard_normal(len(opens)) * _VOLUME_SPREAD)
    volume = usual * noise * (0.6 + 0.5 * np.minimum(np.abs(2 * half) / spread, 20.0))
    first, last = np.exp(opens), np.exp(closes)
    # Exponentials round: an extreme at an end must not be less extreme than the end.
    high = np.maximum(np.exp(middle + up), np.maximum(first, last))
    low = np.minimum(np.exp(middle - down), np.minimum(first, last))
    return Path(profile.symbol, times, first, high, low, last, volume)
