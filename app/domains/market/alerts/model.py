"""Alerts: what their owners wait for, how they stand, and what makes them fire."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.prices.model import Interval
from app.kit.errors import Problem

SENTIMENT_POINTS = 30
"""How far a sentiment moves before it is news, unless an alert says otherwise."""


class AlertType(StrEnum):
    """What an alert waits for."""

    PRICE_ABOVE = "price_above"
    PRICE_BELOW = "price_below"
    VOLUME_SPIKE = "volume_spike"
    TECHNICAL_INDICATOR = "technical_indicator"
    SENTIMENT_CHANGE = "sentiment_change"
    WHALE_TX = "whale_tx"
    NEWS_IMPACT = "news_impact"


class Rearm(StrEnum):
    """What becomes of an alert that has fired."""

    ONCE = "once"
    EVERY_TIME = "every_time"
    AFTER_COOLDOWN = "after_cooldown"


class Comparison(StrEnum):
    """On which side of its threshold a value makes an alert fire, when it gets there."""

    ABOVE = "above"
    BELOW = "below"


class PriceAbove(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.PRICE_ABOVE.value):
    """The price rises to `price` dollars or beyond."""

    price: Decimal


class PriceBelow(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.PRICE_BELOW.value):
    """The price falls to `price` dollars or beyond."""

    price: Decimal


class VolumeSpike(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.VOLUME_SPIKE.value):
    """The volume of the last minutes becomes `multiple` times what is usual in as much time."""

    multiple: Decimal
    window_minutes: int


class TechnicalIndicator(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.TECHNICAL_INDICATOR.value):
    """An indicator over closed candles crosses `value`."""

    indicator: Indicator
    interval: Interval
    comparison: Comparison
    value: Decimal


class SentimentChange(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.SENTIMENT_CHANGE.value):
    """The sentiment, 0 to 100, is more than `points` from where it was when the alert was armed or last fired."""

    points: int = SENTIMENT_POINTS


class WhaleTransaction(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.WHALE_TX.value):
    """A payment of at least `minimum_amount` coins is confirmed on the token's chain."""

    minimum_amount: Decimal


class NewsImpact(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.NEWS_IMPACT.value):
    """News that mention the token have at least this impact, 1 to 100."""

    minimum_impact: int


Condition: TypeAlias = (
    PriceAbove | PriceBelow | VolumeSpike | TechnicalIndicator | SentimentChange | WhaleTransaction | NewsImpact
)


def condition_of(alert_type: str, details: dict[str, Any]) -> Condition:
    """A condition as it is stored."""
    condition: Condition = msgspec.convert({**details, "type": alert_type}, Condition)
    return condition


class Alert(msgspec.Struct, frozen=True):
    """An alert of a user. `triggered`, `triggered_at`, `trigger_count` and `current_value` tell of the time since
    `armed_at`: its owner arms it anew by changing it or enabling it again."""

    id: UUID
    user_id: UUID
    symbol: str
    alert_type: str
    threshold_value: Decimal
    condition_details: dict[str, Any]
    rearm: str
    cooldown_s: int | None
    enabled: bool
    triggered: bool
    triggered_at: datetime | None
    trigger_count: int
    current_value: Decimal | None
    armed_at: datetime
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None

    @property
    def condition(self) -> Condition:
        """What it waits for, typed."""
        return condition_of(self.alert_type, self.condition_details)


class NewAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert to be made. `cooldown_s` belongs to AFTER_COOLDOWN and to nothing else."""

    symbol: str
    condition: Condition
    rearm: Rearm = Rearm.ONCE
    cooldown_s: int | None = None
    enabled: bool = True
    expires_at: datetime | None = None


class AlertChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of an alert: UNSET leaves a field as it is. A `cooldown_s` comes with its `rearm`."""

    condition: Condition | UnsetType = UNSET
    rearm: Rearm | UnsetType = UNSET
    cooldown_s: int | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET


class ArmedAlert(msgspec.Struct, frozen=True):
    """An alert that may fire, as whoever looks for those that do needs it."""

    id: UUID
    user_id: UUID
    symbol: str
    alert_type: str
    threshold_value: Decimal
    condition_details: dict[str, Any]
    armed_at: datetime

    @property
    def condition(self) -> Condition:
        """What it waits for, typed."""
        return condition_of(self.alert_type, self.condition_details)


class Passage(msgspec.Struct, frozen=True):
    """Something measured that went from `before` to `after`; what has no value before it, as an article, comes from 0.

    It concerns alerts of this type whose conditions hold these details, and which were armed before `armed_before`;
    null: whenever they were.
    """

    symbol: str
    alert_type: AlertType
    before: Decimal
    after: Decimal
    details: dict[str, Any] = {}
    armed_before: datetime | None = None
    source: str = ""
    """Who says so, of a price; empty: it is calculated."""
    text: tuple[str, str] | None = None
    """Title and message for the alerts' owners; null: the condition and the value say all."""


class Firing(msgspec.Struct, frozen=True):
    """An alert whose condition is met, and what its owner is told. `value` is what was measured."""

    alert_id: UUID
    value: Decimal
    title: str
    message: str


class AlertLimitReached(Problem):
    """You have as many alerts as anybody may have. Delete one first."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"You have {limit} alerts, and nobody may have more. Delete one first.")
        self.limit = limit
