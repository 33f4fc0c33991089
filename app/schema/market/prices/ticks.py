"""Live prices: ticks, and candles as they form."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import strawberry

from app.domains.market.prices import model as prices
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.model import symbol_of
from app.engine.declarations.costs import counted_by
from app.engine.declarations.limits import Limits
from app.engine.declarations.nodes import record_type
from app.engine.declarations.relations import related
from app.engine.declarations.subscriptions import Followed, volatile
from app.kit.errors import InvalidInput
from app.kit.loaders import Audience
from app.kit.volatile import Latest
from app.schema.context import Info
from app.schema.market.prices.candles import Candle, Interval, IntervalArgument
from app.schema.market.sources import PriceSource
from app.schema.market.tokens import Token

MAX_SYMBOLS = 250
_NAMED = 10
"""How many unknown symbols an error message names."""


@record_type(prices.TickQuote)
class PriceTick:
    """The price of a token at a tick."""

    symbol: str = strawberry.field(description="The token's symbol.")
    price_usd: Decimal = strawberry.field(description="The price in dollars.")
    price_aud: Decimal = strawberry.field(description="The price in Australian dollars.")
    change_percentage_24h: float | None = strawberry.field(
        name="changePercentage24h", description="The 24-hour price change in percent. Null if it was not quoted."
    )
    volume_24h_usd: Decimal | None = strawberry.field(
        name="volume24hUsd", description="The 24-hour trading volume in dollars. Null if it was not quoted."
    )
    at: datetime = strawberry.field(description="When the token was quoted. This may be before the tick.")
    token: Token = related(token_loaders.token_by_symbol, key="symbol", description="The token as it is stored now.")


@strawberry.type
class PriceTicks:
    """A tick of the market. Only the latest tick is delivered."""

    at: datetime = strawberry.field(description="When the tick occurred.")
    source: PriceSource = strawberry.field(description="The source of the prices.")
    ticks: list[PriceTick] = strawberry.field(
        description="The requested tokens that have been quoted, in the order of the request."
    )


@strawberry.type
class CandleUpdate:
    """A token's current candle. Only the latest state is delivered."""

    symbol: str = strawberry.field(description="The token's symbol.")
    interval: Interval = strawberry.field(description="The length of the candles.")
    open: Candle | None = strawberry.field(
        description="The candle of the current interval. Null if there has been no price in it yet."
    )
    closed: Candle | None = strawberry.field(
        description="The last closed candle, so that slow readers do not miss a close. Null if none is closed yet."
    )


def ticks_per_s(limits: Limits) -> float:
    """How often the market ticks."""
    return limits.ticks_per_s


def quotes_of(quotes: dict[str, Any], symbols: list[str] | tuple[str, ...] | None) -> list[prices.TickQuote]:
    """The quotes of these tokens in their order, without those that have none; null: the first ones of all."""
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
        ticks=quotes_of(tick["quotes"], symbols),  # type: ignore[arg-type]  # records, which the type describes
    )


def _candle_update(latest: Latest, chosen: tuple[str, Interval]) -> CandleUpdate | None:
    symbol, interval = chosen
    known = latest.payload["bars"].get(symbol)
    if known is None:
        return None
    bars, source = msgspec.convert(known, prices.Bars), latest.payload["source"]

    def candle(bar: prices.Bar | None) -> Any:
        return bar and prices.Candle(symbol, source, interval, *msgspec.structs.astuple(bar))

    return CandleUpdate(symbol=symbol, interval=interval, open=candle(bars.open), closed=candle(bars.closed))


async def _known(info: Info, field: str, symbols: list[str]) -> tuple[str, ...]:
    """Returns the symbols of tokens, each once, in the order given. Raises InvalidInput."""
    chosen = list(dict.fromkeys(symbol_of(symbol) or symbol for symbol in symbols))
    loads = [info.context.reads.one(token_loaders.token_by_symbol, symbol) for symbol in chosen if symbol_of(symbol)]
    known = {token.symbol for load in loads if (token := await load) is not None}
    if unknown := [symbol[:20] or '""' for symbol in chosen if symbol not in known]:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise InvalidInput(field, f"There is no token {', '.join(unknown[:_NAMED])}{more}.")
    return tuple(chosen)


@strawberry.type
class PriceSubscription:
    """Live prices."""

    @volatile(
        PriceTicks,
        payload=_price_ticks,
        audience=Audience.PUBLIC,
        per_s=ticks_per_s,
        metadata=counted_by("symbols", MAX_SYMBOLS),
    )
    async def price_ticks(
        self,
        info: Info,
        symbols: Annotated[
            list[str] | None,
            strawberry.argument(
                description=f"1 to {MAX_SYMBOLS} token symbols, in any case. Repeated symbols are ignored. Null: all"
                f" quoted tokens, at most {MAX_SYMBOLS}. Each token multiplies the cost of what is below."
            ),
        ] = None,
    ) -> Followed:
        """The latest prices of tokens at once, and then each tick as fast as the client reads. Skipped ticks are not
        sent later. Public.
        """
        if symbols is None:
            return Followed(prices.PRICES_TOPIC)
        if not 1 <= len(symbols) <= MAX_SYMBOLS:
            raise InvalidInput("symbols", f"Name 1 to {MAX_SYMBOLS} tokens, or none of them for all.")
        return Followed(prices.PRICES_TOPIC, choice=await _known(info, "symbols", symbols))

    @volatile(CandleUpdate, payload=_candle_update, audience=Audience.PUBLIC, per_s=ticks_per_s)
    async def candle_updates(
        self,
        info: Info,
        symbol: Annotated[str, strawberry.argument(description="The token's symbol, in any case.")],
        interval: IntervalArgument,
    ) -> Followed:
        """The latest state of a token's open candle and of its last closed candle at once, and then at each tick as
        fast as the client reads. Public.
        """
        (known,) = await _known(info, "symbol", [symbol])
        return Followed(interval.topic, choice=(known, interval))
