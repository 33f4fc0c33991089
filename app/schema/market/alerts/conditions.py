"""The conditions of alerts."""

from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry

from app.domains.market.alerts import model
from app.domains.market.alerts.model import MAX_COINS, MAX_MULTIPLE, MAX_WINDOW_MINUTES, AlertType, Comparison
from app.engine.declarations.durations import MINUTE, Milliseconds, milliseconds_of, number_of
from app.engine.declarations.nodes import record_type
from app.schema.enums import declare_enum
from app.schema.market.analysis.technical import Indicator
from app.schema.market.prices.candles import Interval

DEFAULT_WINDOW_MINUTES = 15

__all__ = ["AlertCondition", "AlertConditionInput", "AlertType"]

declare_enum(
    AlertType,
    PRICE_ABOVE="The price rises to a threshold or above.",
    PRICE_BELOW="The price falls to a threshold or below.",
    VOLUME_SPIKE="The volume reaches a multiple of the usual volume.",
    TECHNICAL_INDICATOR="An indicator crosses a threshold.",
    SENTIMENT_CHANGE="The sentiment changes by a number of points.",
    WHALE_TRANSACTION="A large payment is confirmed on the token's chain.",
    NEWS_IMPACT="An article with a minimum impact mentions the token.",
)
declare_enum(
    Comparison,
    name="AlertComparison",
    ABOVE="The value rises to the threshold or above, from below.",
    BELOW="The value falls to the threshold or below, from above.",
)


@record_type(model.PriceAbove)
class PriceAboveCondition:
    """The price rises to `priceUsd` or above, from below."""

    price: Decimal = strawberry.field(name="priceUsd", description="The threshold in dollars.")


@record_type(model.PriceBelow)
class PriceBelowCondition:
    """The price falls to `priceUsd` or below, from above."""

    price: Decimal = strawberry.field(name="priceUsd", description="The threshold in dollars.")


@record_type(model.VolumeSpike)
class VolumeSpikeCondition:
    """The volume of the last `windowMs` reaches `volumeRatio` times the mean volume of an equal period in the 24 hours
    before. Evaluated every five minutes, over closed candles.
    """

    multiple: Decimal = strawberry.field(name="volumeRatio", description="The multiple of the usual volume.")
    window_ms: Milliseconds = milliseconds_of(
        "window_minutes",
        unit=MINUTE,
        description="The period over which the volume is measured, in milliseconds.",
    )


@record_type(model.TechnicalIndicator)
class TechnicalIndicatorCondition:
    """An indicator crosses `value`. Evaluated whenever a candle closes."""

    indicator: Indicator = strawberry.field(description="The indicator.")
    interval: Interval = strawberry.field(description="The length of the candles.")
    comparison: Comparison = strawberry.field(description="The direction of the crossing.")
    value: Decimal = strawberry.field(description="The threshold, in the unit of the indicator.")


@record_type(model.SentimentChange)
class SentimentChangeCondition:
    """The sentiment, 0 to 100, has changed by more than `points` since the alert was armed or last fired. Evaluated
    every five minutes.
    """

    points: int = strawberry.field(description="The number of points that must be exceeded, 1 to 99.")


@record_type(model.WhaleTransaction)
class WhaleTransactionCondition:
    """A payment of at least `minAmount` is confirmed on the token's chain."""

    minimum_amount: Decimal = strawberry.field(name="minAmount", description="The minimum amount in coins.")


@record_type(model.NewsImpact)
class NewsImpactCondition:
    """An article with at least `minImpact` mentions the token."""

    minimum_impact: int = strawberry.field(name="minImpact", description="The minimum impact, 1 to 100.")


AlertCondition: TypeAlias = Annotated[
    PriceAboveCondition
    | PriceBelowCondition
    | VolumeSpikeCondition
    | TechnicalIndicatorCondition
    | SentimentChangeCondition
    | WhaleTransactionCondition
    | NewsImpactCondition,
    strawberry.union("AlertCondition", description="The condition of an alert."),
]


@strawberry.input
class PriceConditionInput:
    """A condition on the price."""

    price_usd: Decimal = strawberry.field(
        description="The threshold in dollars, above 0 and below 1,000,000,000,000, with at most 12 decimals."
    )


@strawberry.input
class VolumeSpikeConditionInput:
    """A condition on the trading volume."""

    volume_ratio: Decimal = strawberry.field(
        description=f"The multiple of the usual volume, above 1 and at most {MAX_MULTIPLE}, with at most 4 decimals."
    )
    window_ms: Milliseconds | None = strawberry.field(
        default=None,
        description="The period over which the volume is measured, in milliseconds: 300,000 to"
        f" {MAX_WINDOW_MINUTES * 60_000:,} in steps of 300,000. Null: 900,000.",
    )

    def window_minutes(self) -> int:
        """The period in minutes."""
        return DEFAULT_WINDOW_MINUTES if self.window_ms is None else number_of(MINUTE, self.window_ms)


@strawberry.input
class TechnicalIndicatorConditionInput:
    """A condition on a technical indicator."""

    indicator: Indicator = strawberry.field(description="The indicator.")
    interval: Interval = strawberry.field(description="The length of the candles.")
    comparison: Comparison = strawberry.field(description="The direction of the crossing.")
    value: Decimal = strawberry.field(
        description="The threshold, in the unit of the indicator, with at most 12 decimals."
    )


@strawberry.input
class SentimentChangeConditionInput:
    """A condition on the sentiment."""

    points: int | None = strawberry.field(
        default=None,
        description="The number of points, of 100, that the change must exceed, 1 to 99. Null:"
        f" {model.SENTIMENT_POINTS}.",
    )


@strawberry.input
class WhaleTransactionConditionInput:
    """A condition on payments."""

    min_amount: Decimal = strawberry.field(
        description=f"The minimum amount in coins, above 0 and at most {MAX_COINS:,}, with at most 8 decimals."
    )


@strawberry.input
class NewsImpactConditionInput:
    """A condition on news."""

    min_impact: int = strawberry.field(description="The minimum impact, 1 to 100.")


@strawberry.input(one_of=True)
class AlertConditionInput:
    """The condition of an alert. Set exactly one field."""

    price_above: PriceConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="The price rises to a threshold or above, from below."
    )
    price_below: PriceConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="The price falls to a threshold or below, from above."
    )
    volume_spike: VolumeSpikeConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="The volume reaches a multiple of the usual volume, from below."
    )
    technical_indicator: TechnicalIndicatorConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="An indicator crosses a threshold."
    )
    sentiment_change: SentimentChangeConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="The sentiment changes, up or down."
    )
    whale_transaction: WhaleTransactionConditionInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="A large payment is confirmed on the token's chain. Only for the token of Moneta's own chain.",
    )
    news_impact: NewsImpactConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="An article with a minimum impact mentions the token."
    )

    def condition(self) -> model.Condition:
        """The condition of the field that is set."""
        if self.price_above:
            return model.PriceAbove(self.price_above.price_usd)
        if self.price_below:
            return model.PriceBelow(self.price_below.price_usd)
        if self.volume_spike:
            return model.VolumeSpike(self.volume_spike.volume_ratio, self.volume_spike.window_minutes())
        if given := self.technical_indicator:
            return model.TechnicalIndicator(given.indicator, given.interval, given.comparison, given.value)
        if self.sentiment_change:
            return model.SentimentChange(
                model.SENTIMENT_POINTS if self.sentiment_change.points is None else self.sentiment_change.points
            )
        if self.whale_transaction:
            return model.WhaleTransaction(self.whale_transaction.min_amount)
        assert self.news_impact, "one of them is given"
        return model.NewsImpact(self.news_impact.min_impact)
