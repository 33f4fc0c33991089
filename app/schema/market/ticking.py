"""Prices as they change."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import strawberry

from app.domains.market.prices import model as prices
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.domains.market.watchlist import loaders as watchlist_loaders
from app.engine.limits import Limits
from app.engine.limits.extra import counted_by, holds
from app.engine.nodes import record_type
from app.engine.relations import related
from app.engine.streams.declaring import Followed, volatile
from app.kit.errors import InvalidInput
from app.kit.loaders import Audience
from app.kit.volatile import Latest
from app.schema.context import Info
from app.schema.market.enums import Interval, PriceSource
from app.schema.market.prices import Candle
from app.schema.market.tokens import Token

MAX_SYMBOLS = 250
_NAMED = 10
"""Unknown symbols that a refusal names."""


@record_type(prices.TickQuote, description="What a token is worth at a tick.")
class PriceTick:
    """What a token is worth at a tick."""

    symbol: str = strawberry.field(description="The token's symbol.")
    price_usd: Decimal = strawberry.field(description="Dollars for one token.")
    price_aud: Decimal = strawberry.field(description="Australian dollars for one token.")
    change_percentage_24h: Decimal | None = strawberry.field(
        name="changePercentage24h", description="Change of the price in 24 hours, in per cent; null: nobody says."
    )
    volume_24h_usd: Decimal | None = strawberry.field(
        name="volume24hUsd", description="Dollars traded in 24 hours; null: nobody says."
    )
    at: datetime = strawberry.field(description="When it was quoted, which may be before the tick.")
    token: Token = related(token_loaders.token_by_symbol, key="symbol", description="The token as it is stored now.")


@strawberry.type(description="A tick of the market. Volatile: only the newest is told.")
class PriceTicks:
    """A tick of the market."""

    at: datetime = strawberry.field(description="When the tick was.")
    source: PriceSource = strawberry.field(description="Who says so.")
    ticks: list[PriceTick] = strawberry.field(
        description="Each of the tokens that has been quoted yet, in the order they were asked for."
    )


async def _watched(root: "WatchlistTicks", info: Info) -> Any:
    viewer = info.context.require_viewer()
    watched = await info.context.reads.many(watchlist_loaders.watched_symbols, viewer.user_id)
    limit = info.context.settings.watchlist_limit
    return _quotes(root.quotes, [each.symbol for each in watched[:limit]])


@strawberry.type(description="A tick of the tokens that the viewer watches. Volatile: only the newest is told.")
class WatchlistTicks:
    """A tick of the tokens that the viewer watches."""

    at: datetime = strawberry.field(description="When the tick was.")
    source: PriceSource = strawberry.field(description="Who says so.")
    quotes: strawberry.Private[dict[str, Any]]
    ticks: list[PriceTick] = strawberry.field(
        resolver=_watched,
        graphql_type=list[PriceTick],
        metadata=holds(lambda limits: limits.watchlist),
        description="Each watched token that has been quoted yet, in the order of the watchlist as it is at the tick;"
        " at most as many as a watchlist may have (`serverInfo { limits { watchlist } }`).",
    )


@strawberry.type(description="A token's candle as it forms. Volatile: only the newest state is told.")
class CandleUpdate:
    """A token's candle as it forms."""

    symbol: str = strawberry.field(description="The token's symbol.")
    interval: Interval = strawberry.field(description="How long the candles are.")
    open: Candle | None = strawberry.field(
        description="The candle of the present; null where there has been no price in its time yet."
    )
    closed: Candle | None = strawberry.field(
        description="The last candle that was closed, so that whoever reads slowly misses no close; null: not yet any."
    )


def _ticks_per_s(limits: Limits) -> float:
    return limits.ticks_per_s


def _quotes(quotes: dict[str, Any], symbols: list[str] | tuple[str, ...] | None) -> list[prices.TickQuote]:
    found = (
        list(quotes.values())[:MAX_SYMBOLS]
        if symbols is None
        else [quotes[symbol] for symbol in symbols if symbol in quotes]
    )
    return msgspec.convert(found, list[prices.TickQuote])


def _price_ticks(latest: Latest, symbols: tuple[str, ...] | None) -> PriceTicks:
    tick = latest.payload
    return PriceTicks(
        at=msgspec.convert(tick["at"], datetime),
        source=tick["source"],
        ticks=_quotes(tick["quotes"], symbols),  # type: ignore[arg-type]  # records, which the type describes
    )


def _watchlist_ticks(latest: Latest, _: object) -> WatchlistTicks:
    tick = latest.payload
    return WatchlistTicks(at=msgspec.convert(tick["at"], datetime), source=tick["source"], quotes=tick["quotes"])


def _candle_update(latest: Latest, chosen: tuple[str, prices.Interval]) -> CandleUpdate | None:
    symbol, interval = chosen
    known = latest.payload["bars"].get(symbol)
    if known is None:
        return None
    bars, source = msgspec.convert(known, prices.Bars), latest.payload["source"]

    def candle(bar: prices.Bar | None) -> Any:
        return bar and prices.Candle(symbol, source, interval, *msgspec.structs.astuple(bar))

    return CandleUpdate(symbol=symbol, interval=Interval(interval), open=candle(bars.open), closed=candle(bars.closed))


async def _known(info: Info, field: str, symbols: list[str]) -> tuple[str, ...]:
    """The symbols of tokens, each once, in the order given. Raises InvalidInput."""
    chosen = list(dict.fromkeys(symbol_of(symbol) or symbol for symbol in symbols))
    loads = [info.context.reads.one(token_loaders.token_by_symbol, symbol) for symbol in chosen if symbol_of(symbol)]
    known = {token.symbol for load in loads if (token := await load) is not None}
    if unknown := [symbol[:20] or '""' for symbol in chosen if symbol not in known]:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise InvalidInput(field, f"There is no token {', '.join(unknown[:_NAMED])}{more}.")
    return tuple(chosen)


@strawberry.type
class PriceStreams:
    """Prices as they change."""

    @volatile(
        PriceTicks,
        payload=_price_ticks,
        audience=Audience.PUBLIC,
        per_s=_ticks_per_s,
        metadata=counted_by("symbols", MAX_SYMBOLS),
        description="What tokens are worth: at once as it is known, then at each tick, as often as you can read. A tick"
        " that was passed over is not told later. Public.",
    )
    async def price_ticks(
        self,
        info: Info,
        symbols: Annotated[
            list[str] | None,
            strawberry.argument(
                description=f"Of these tokens, in any case, 1 to {MAX_SYMBOLS}; what is named twice is told once. Null:"
                f" of all that are quoted, at most {MAX_SYMBOLS}. Each multiplies the cost of what is below."
            ),
        ] = None,
    ) -> Followed:
        """What tokens are worth."""
        if symbols is None:
            return Followed(prices.PRICES_TOPIC)
        if not 1 <= len(symbols) <= MAX_SYMBOLS:
            raise InvalidInput("symbols", f"Name 1 to {MAX_SYMBOLS} tokens, or none of them for all.")
        return Followed(prices.PRICES_TOPIC, choice=await _known(info, "symbols", symbols))

    @volatile(
        CandleUpdate,
        payload=_candle_update,
        audience=Audience.PUBLIC,
        per_s=_ticks_per_s,
        description="A token's open candle and the one closed last: at once as they are, then at each tick, as often as"
        " you can read. Public.",
    )
    async def candle_updates(
        self,
        info: Info,
        symbol: Annotated[str, strawberry.argument(description="Of this token, in any case.")],
        interval: Annotated[Interval, strawberry.argument(description="How long the candles are.")],
    ) -> Followed:
        """A token's candle as it forms."""
        (known,) = await _known(info, "symbol", [symbol])
        length = prices.Interval(str(interval.value))
        return Followed(length.topic, choice=(known, length))

    @volatile(
        WatchlistTicks,
        payload=_watchlist_ticks,
        per_s=_ticks_per_s,
        description="What the tokens on the viewer's watchlist are worth, at each tick, as often as you can read. A"
        " token that is added or removed meanwhile is so from the next tick on.",
    )
    async def watchlist_ticks(self, info: Info) -> str:
        """What watched tokens are worth."""
        info.context.require_viewer()
        return prices.PRICES_TOPIC
