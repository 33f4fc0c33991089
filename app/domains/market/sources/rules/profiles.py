"""The simulated market: the initial price of each token, and how it moves. No price here is real."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from app.domains.market.prices.model import Quote
from app.domains.market.tokens.model import Listing

AUD_PER_USD = 1.53
"""A constant of the simulation."""

_YEAR_S = 365 * 86400.0
_HOUR_S = 3600.0

_STABLE = frozenset({"USDT", "USDC", "DAI", "FDUSD", "FRAX", "TUSD", "USDD"})
_GOLD = "XAUT"
_FOLLOWS = {
    "WBTC": ("BTC", 1.0),
    "RETH": ("ETH", 1.12),
    "SWETH": ("ETH", 1.07),
    "CBETH": ("ETH", 1.08),
    "SFRXETH": ("ETH", 1.1),
    "ETHX": ("ETH", 1.04),
    "WBETH": ("ETH", 1.05),
    "MSOL": ("SOL", 1.2),
    "STSOL": ("SOL", 1.18),
    "WCFG": ("CFG", 1.0),
    "PAXG": ("XAUT", 1.0),
}
# Supplies that are widely known: another number would look like an error.
_SUPPLIES = {
    "BTC": 19.9e6,
    "ETH": 120.7e6,
    "BNB": 145e6,
    "SOL": 480e6,
    "XRP": 57e9,
    "DOGE": 147e9,
    "ADA": 35e9,
    "AVAX": 410e6,
    "TON": 2.5e9,
    "SHIB": 589e12,
    "DOT": 1.5e9,
    "BCH": 19.9e6,
    "LINK": 640e6,
    "TRX": 88e9,
    "UNI": 600e6,
    "LTC": 75e6,
    "XLM": 31e9,
    "PEPE": 420e12,
    "XMR": 18.4e6,
}


class Profile(msgspec.Struct, frozen=True):
    """How a token behaves. Volatilities are standard deviations of the logarithm of the price over a year."""

    symbol: str
    base_price: float
    """In dollars. The price returns towards it, unless it follows an anchor."""
    supply: float
    volume_24h: float
    """The volume in dollars of an ordinary day."""
    beta: float
    """How strongly it follows the market."""
    volatility: float
    """Its own volatility, besides that of the market."""
    pull_per_s: float
    """How fast it returns to its base price, or that of its anchor: the fraction of the distance in a second."""
    jumps_per_s: float
    anchor: str | None = None
    """The symbol of the token that it follows; null for most."""
    ratio: float = 1.0
    """Its price in units of the anchor."""


def profiles_of(listings: Sequence[Listing]) -> list[Profile]:
    """Returns a profile for each listing, in the same order. It depends only on rank and symbol."""
    worth = {listing.symbol: _base_price(listing) for listing in listings}
    return [_profile(listing, worth) for listing in listings]


def base_quotes(listings: Sequence[Listing], at: datetime) -> list[Quote]:
    """Returns the first quote of each listing, in the same order, for tokens without history."""
    return [_first_quote(profile, at) for profile in profiles_of(listings)]


def price(value: float) -> Decimal:
    """Returns a price with 9 significant digits and the 12 decimals that are stored; never zero."""
    return max(round(Decimal(f"{value:.8e}"), 12), SMALLEST_PRICE)


def money(value: float) -> Decimal:
    """Returns an amount with the two decimals that are stored."""
    return Decimal(f"{value:.2f}")


def uniform(symbol: str, purpose: str) -> float:
    """Returns a number in [0, 1) that depends only on a symbol and a purpose."""
    digest = hashlib.blake2b(f"{purpose}:{symbol}".encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 256**7


SMALLEST_PRICE = Decimal("0.000000000001")


def _profile(listing: Listing, worth: dict[str, float]) -> Profile:
    symbol, rank = listing.symbol, listing.market_cap_rank
    cap = _market_cap(rank)
    if symbol in _STABLE:
        return Profile(symbol, 1.0, cap, 0.6 * cap, beta=0.0, volatility=0.03, pull_per_s=1 / _HOUR_S, jumps_per_s=0.0)
    turnover = 0.02 + 0.1 * uniform(symbol, "turnover")
    anchor, ratio = _FOLLOWS.get(symbol, ("", 1.0))
    if anchor in worth:
        base = worth[anchor] * ratio
        # Its value is that of its anchor, with a small premium that arbitrage removes.
        return Profile(
            symbol,
            base,
            cap / base,
            turnover * cap,
            beta=0.0,
            volatility=0.03,
            pull_per_s=1 / _HOUR_S,
            jumps_per_s=0.0,
            anchor=anchor,
            ratio=ratio,
        )
    base = worth[symbol]
    gold = symbol == _GOLD
    return Profile(
        symbol,
        base,
        cap / base,
        turnover * cap,
        beta=0.05 if gold else 1.0 if rank == 1 else 0.8 + 0.7 * uniform(symbol, "beta"),
        volatility=0.12 if gold else 0.3 + 0.9 * min(rank, 250) / 250,
        pull_per_s=1 / _YEAR_S,
        jumps_per_s=0.0 if gold else (0.1 + 0.4 * min(rank, 250) / 250) / 86400,
    )


def _base_price(listing: Listing) -> float:
    symbol = listing.symbol
    if symbol in _STABLE:
        return 1.0
    if symbol == _GOLD:
        return 2650.0
    supply = _SUPPLIES.get(symbol) or 10 ** (7 + 5.5 * uniform(symbol, "supply"))
    return max(_market_cap(listing.market_cap_rank) / supply, 1e-8)


def _market_cap(rank: int) -> float:
    # The largest has a capitalisation of two trillion dollars, the 250th of about a hundred million.
    return float(1.98e12 * rank**-1.78)


def _first_quote(profile: Profile, at: datetime) -> Quote:
    now = profile.base_price
    swing = 0.002 if profile.pull_per_s * _HOUR_S >= 1 else 0.06
    before = now * (1 + swing * (uniform(profile.symbol, "day") - 0.5))
    widen = 1 + swing * 0.25 * uniform(profile.symbol, "range")
    return Quote(
        symbol=profile.symbol,
        at=at,
        price_usd=price(now),
        price_aud=price(now * AUD_PER_USD),
        volume_24h_usd=money(profile.volume_24h),
        volume_24h_aud=money(profile.volume_24h * AUD_PER_USD),
        change_24h=Decimal(f"{now - before:.12f}"),
        change_percentage_24h=Decimal(f"{100 * (now / before - 1):.4f}"),
        market_cap_usd=money(now * profile.supply),
        market_cap_aud=money(now * profile.supply * AUD_PER_USD),
        high_24h=price(max(now, before) * widen),
        low_24h=price(min(now, before) / widen),
    )
