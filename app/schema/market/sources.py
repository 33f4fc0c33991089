"""Data sources, and the state of each."""

from datetime import datetime
from enum import Enum

import strawberry

from app.domains.accounts.model import Role
from app.domains.market.services import MarketServices
from app.domains.market.sources import model
from app.domains.market.sources.model import MAX_SOURCES, SourceKind
from app.engine.declarations.audience import computed_for
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.scalars import BigInt

MAX_REASONS = 24

declare_enum(
    SourceKind,
    description="The kind of data that a source provides.",
    PRICES="Prices of tokens.",
    TOKENS="The list of tokens, once a day.",
    SOCIAL="Social media posts about tokens.",
    DERIVATIVES="Perpetual futures.",
    DEFI="Total value locked in protocols.",
    NEWS="News articles.",
)


@strawberry.enum
class PriceSource(Enum):
    """A source of prices."""

    SIMULATED = strawberry.enum_value("simulated", description="A simulation. The prices are not real.")
    COINGECKO = strawberry.enum_value("coingecko", description="CoinGecko.")
    COINMARKETCAP = strawberry.enum_value("coinmarketcap", description="CoinMarketCap.")


@strawberry.type
class IgnoredValues:
    """Values of a source that were rejected for the same reason."""

    reason: str = strawberry.field(
        description="The reason, such as `stale`, `future`, `negative`, `zero`, `not_a_number`, `absurd`, `jump`,"
        " `incomplete`, `malformed`, `missing`, `duplicate`, `unknown_symbol` or `symbol_taken`. More may be added."
    )
    count: BigInt = strawberry.field(description="The number of values rejected so far.")


def _ignored(root: model.MarketSource) -> list[IgnoredValues]:
    counts = sorted(root.ignored.items())[:MAX_REASONS]
    return [IgnoredValues(reason=reason, count=BigInt(count)) for reason, count in counts]


def _last_failure(root: model.MarketSource, info: Info) -> str | None:
    viewer = info.context.viewer
    return root.last_failure if viewer is not None and viewer.role is Role.ADMIN else None


@record_type(model.MarketSource)
class MarketSource:
    """A provider of one kind of data, or a news feed."""

    name: str = strawberry.field(description="The provider, such as `coingecko`, or the host name of a feed.")
    kind: SourceKind = strawberry.field(description="The kind of data.")
    last_success_at: datetime | None = strawberry.field(
        description="When the last successful request was made. Null if never."
    )
    last_failure_at: datetime | None = strawberry.field(
        description="When the last failed request was made. Null if never."
    )
    last_failure: str | None = strawberry.field(
        resolver=_last_failure,
        description="The error of the last failed request. Null if there is none, or if the viewer is not an admin.",
    )
    accepted: BigInt = strawberry.field(description="The number of values accepted so far.")
    ignored: list[IgnoredValues] = from_parent(
        _ignored,
        metadata=holds(MAX_REASONS),
        description=f"The number of values rejected so far, by reason. At most {MAX_REASONS} reasons.",
    )


async def _market_sources(info: Info) -> list[model.MarketSource]:
    executor = await info.context.reads.executor(Audience.PUBLIC)
    return await info.context.services[MarketServices].sources.all(executor)


@strawberry.type
class SourceQuery:
    """Data sources."""

    market_sources: list[MarketSource] = strawberry.field(  # type: ignore[assignment]  # records, which the type describes
        resolver=_market_sources,
        graphql_type=list[MarketSource],
        metadata=computed_for(Audience.PUBLIC) | holds(MAX_SOURCES),
        description=f"The sources of prices, tokens and news, by kind and name. At most {MAX_SOURCES}. Empty until a"
        " worker has made its first request.",
    )
