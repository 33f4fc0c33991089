"""Alerts, and what they wait for."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, TypeAlias

import strawberry

from app.domains.market.alerts import loaders as alert_loaders
from app.domains.market.alerts import model
from app.domains.market.tokens import loaders as token_loaders
from app.engine.nodes import Node, node_type, record_type
from app.engine.relations import related
from app.schema.market.analysis.signals import Indicator
from app.schema.market.enums import Interval
from app.schema.market.tokens import Token

SINCE_ARMED = "Its owner arms an alert by making it, by changing it, and by enabling it again."


@strawberry.enum
class AlertType(Enum):
    """What an alert waits for."""

    PRICE_ABOVE = strawberry.enum_value("price_above", description="The price rises to a threshold or beyond.")
    PRICE_BELOW = strawberry.enum_value("price_below", description="The price falls to a threshold or beyond.")
    VOLUME_SPIKE = strawberry.enum_value("volume_spike", description="The volume becomes a multiple of the usual.")
    TECHNICAL_INDICATOR = strawberry.enum_value("technical_indicator", description="An indicator crosses a threshold.")
    SENTIMENT_CHANGE = strawberry.enum_value("sentiment_change", description="The sentiment moves by some points.")
    WHALE_TX = strawberry.enum_value("whale_tx", description="A large payment is confirmed on the token's chain.")
    NEWS_IMPACT = strawberry.enum_value("news_impact", description="There are news of some impact.")


@strawberry.enum
class AlertRearm(Enum):
    """What becomes of an alert that has fired."""

    ONCE = strawberry.enum_value("once", description="It rests until its owner arms it again.")
    EVERY_TIME = strawberry.enum_value("every_time", description="It fires whenever its condition is met anew.")
    AFTER_COOLDOWN = strawberry.enum_value(
        "after_cooldown", description="It fires again once some time has passed; what happens meanwhile is passed over."
    )


@strawberry.enum
class Comparison(Enum):
    """From which side a value comes to its threshold."""

    ABOVE = strawberry.enum_value("above", description="From below: it was less, and is not any more.")
    BELOW = strawberry.enum_value("below", description="From above: it was more, and is not any more.")


@record_type(model.PriceAbove)
class PriceAboveCondition:
    """The price rises to `price` or beyond, from below it."""

    price: Decimal = strawberry.field(description="In dollars.")


@record_type(model.PriceBelow)
class PriceBelowCondition:
    """The price falls to `price` or beyond, from above it."""

    price: Decimal = strawberry.field(description="In dollars.")


@record_type(
    model.VolumeSpike,
)
class VolumeSpikeCondition:
    """The volume of the last minutes comes to `multiple` times the mean volume of as much time in the 24 hours before.
    Measured every five minutes, over closed candles.
    """

    multiple: Decimal = strawberry.field(description="Times the usual volume.")
    window_minutes: int = strawberry.field(description="Over how many minutes it is measured.")


@record_type(
    model.TechnicalIndicator,
)
class TechnicalIndicatorCondition:
    """An indicator comes to `value`. Measured whenever a candle closes."""

    indicator: Indicator = strawberry.field(description="Which one.")
    interval: Interval = strawberry.field(description="Of which candles.")
    comparison: Comparison = strawberry.field(description="From which side.")
    value: Decimal = strawberry.field(description="The threshold, in the indicator's own unit.")


@record_type(
    model.SentimentChange,
)
class SentimentChangeCondition:
    """The sentiment, 0 to 100, is more than `points` from where it was when the alert was armed or last fired. Measured
    every five minutes.
    """

    points: int = strawberry.field(description="By more than so many, 1 to 99.")


@record_type(model.WhaleTransaction)
class WhaleTransactionCondition:
    """A payment of so many coins is confirmed on the token's chain."""

    minimum_amount: Decimal = strawberry.field(description="In coins.")


@record_type(model.NewsImpact)
class NewsImpactCondition:
    """An article that mentions the token has some impact."""

    minimum_impact: int = strawberry.field(description="1 to 100.")


AlertCondition: TypeAlias = Annotated[
    PriceAboveCondition
    | PriceBelowCondition
    | VolumeSpikeCondition
    | TechnicalIndicatorCondition
    | SentimentChangeCondition
    | WhaleTransactionCondition
    | NewsImpactCondition,
    strawberry.union("AlertCondition", description="What an alert waits for, by its type."),
]


def _condition(root: model.Alert) -> model.Condition:
    return root.condition


@node_type(by=alert_loaders.alert_by_id)
class Alert(Node):
    """Something that the viewer waits for. Only theirs to see."""

    token: Token = related(token_loaders.token_by_symbol, key="symbol", description="The token that it is about.")
    alert_type: AlertType = strawberry.field(name="type", description="What kind of thing it waits for.")
    condition: AlertCondition = strawberry.field(  # type: ignore[assignment]  # as in engine.pages
        resolver=_condition, graphql_type=AlertCondition, description="What exactly it waits for."
    )
    rearm: AlertRearm = strawberry.field(description="What becomes of it when it has fired.")
    cooldown_s: int | None = strawberry.field(
        name="cooldownSeconds", description="How long it rests after it has fired; null unless AFTER_COOLDOWN."
    )
    enabled: bool = strawberry.field(description="Whether its owner wants it to fire.")
    triggered: bool = strawberry.field(description="Whether it has fired since it was armed. " + SINCE_ARMED)
    trigger_count: int = strawberry.field(description="How often it has fired since it was armed.")
    triggered_at: datetime | None = strawberry.field(description="When it last fired; null: not since it was armed.")
    current_value: Decimal | None = strawberry.field(
        description="What was measured when it last fired, in the unit of its threshold; null: it has not since it was"
        " armed."
    )
    armed_at: datetime = strawberry.field(description="When it was last armed. " + SINCE_ARMED)
    expires_at: datetime | None = strawberry.field(
        description="From when on it does not fire, and is deleted within a day; null: never."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
