"""Who supplies what, and how that goes."""

from datetime import datetime
from enum import Enum

import strawberry

from app.domains.accounts.model import Role
from app.domains.market.sources import model
from app.domains.market.sources.model import MAX_SOURCES
from app.engine.audience import computed_for
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.scalars import BigInt

MAX_REASONS = 24


@strawberry.enum(description="What a source gives.")
class SourceKind(Enum):
    """What a source gives."""

    PRICES = strawberry.enum_value("prices", description="What tokens are worth.")
    TOKENS = strawberry.enum_value("tokens", description="Which tokens are listed, daily.")
    SOCIAL = strawberry.enum_value("social", description="What is said about tokens.")
    DERIVATIVES = strawberry.enum_value("derivatives", description="Perpetual contracts.")
    DEFI = strawberry.enum_value("defi", description="What is locked in protocols.")
    NEWS = strawberry.enum_value("news", description="Articles.")


@strawberry.type(description="Values of one source that were not believed for one reason.")
class IgnoredValues:
    """Values that were not believed."""

    reason: str = strawberry.field(
        description="Such as `stale`, `future`, `negative`, `zero`, `not_a_number`, `absurd`, `jump`, `incomplete`,"
        " `malformed`, `missing`, `duplicate`, `unknown_symbol`, `symbol_taken`; there may come more."
    )
    count: BigInt = strawberry.field(description="How many, ever.")


def _ignored(root: model.MarketSource) -> list[IgnoredValues]:
    counts = sorted(root.ignored.items())[:MAX_REASONS]
    return [IgnoredValues(reason=reason, count=BigInt(count)) for reason, count in counts]


def _last_failure(root: model.MarketSource, info: Info) -> str | None:
    viewer = info.context.viewer
    return root.last_failure if viewer is not None and viewer.role is Role.ADMIN else None


@record_type(model.MarketSource, description="A provider and one thing that it gives, or a feed of news.")
class MarketSource:
    """A provider and one thing that it gives."""

    name: str = strawberry.field(description="Such as simulated or coingecko; for a feed, its host.")
    kind: SourceKind = strawberry.field(description="What it gives.")
    last_success_at: datetime | None = strawberry.field(description="When it last answered; null: never.")
    last_failure_at: datetime | None = strawberry.field(description="When it last failed to answer; null: never.")
    last_failure: str | None = strawberry.field(
        resolver=_last_failure, description="Why. For admins; null for everybody else, and if it never failed."
    )
    accepted: BigInt = strawberry.field(description="Values that were believed and stored, ever.")
    ignored: list[IgnoredValues] = strawberry.field(
        resolver=_ignored,
        metadata=holds(MAX_REASONS),
        description=f"What was not believed, by reason; at most {MAX_REASONS}.",
    )


@strawberry.type
class SourcesQuery:
    """What can be asked about sources."""

    @strawberry.field(
        graphql_type=list[MarketSource],
        metadata=computed_for(Audience.PUBLIC) | holds(MAX_SOURCES),
        description=f"Where prices, tokens and news come from and how that goes, by kind and name; at most"
        f" {MAX_SOURCES}. Empty until a worker has asked one.",
    )
    async def market_sources(self, info: Info) -> list[model.MarketSource]:
        """Every source."""
        executor = await info.context.reads.executor(Audience.PUBLIC)
        return await info.context.services.market.sources.all(executor)
