"""Alerts: their conditions, their state, and what fires them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.prices.model import Interval
from app.kit.changes import Changes
from app.kit.errors import Problem
from app.kit.events import Fact

MAX_COOLDOWN_S: Final = 365 * 24 * 60 * 60
MAX_MULTIPLE: Final = 1000
MAX_WINDOW_MINUTES: Final = 24 * 60
MAX_COINS: Final = 21_000_000
SENTIMENT_POINTS = 30
"""The default of SentimentChange."""


class AlertType(StrEnum):
    """The kind of condition of an alert."""

    PRICE_ABOVE = "price_above"
    PRICE_BELOW = "price_below"
    VOLUME_SPIKE = "volume_spike"
    TECHNICAL_INDICATOR = "technical_indicator"
    SENTIMENT_CHANGE = "sentiment_change"
    WHALE_TRANSACTION = "whale_tx"
    NEWS_IMPACT = "news_impact"


class Rearm(StrEnum):
    """Whether an alert may fire again."""

    ONCE = "once"
    EVERY_TIME = "every_time"
    AFTER_COOLDOWN = "after_cooldown"


class Comparison(StrEnum):
    """The side of the threshold on which an alert fires."""

    ABOVE = "above"
    BELOW = "below"


class PriceAbove(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.PRICE_ABOVE.value):
    """The price rises to `price` dollars or above."""

    price: Decimal


class PriceBelow(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.PRICE_BELOW.value):
    """The price falls to `price` dollars or below."""

    price: Decimal


class VolumeSpike(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.VOLUME_SPIKE.value):
    """The volume of the last minutes reaches `multiple` times the usual volume of as many minutes."""

    multiple: Decimal
    window_minutes: int


class TechnicalIndicator(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.TECHNICAL_INDICATOR.value):
    """An indicator over closed candles crosses `value`."""

    indicator: Indicator
    interval: Interval
    comparison: Comparison
    value: Decimal


class SentimentChange(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.SENTIMENT_CHANGE.value):
    """The sentiment, 0 to 100, has moved by more than `points` since the alert was armed or last fired."""

    points: int = SENTIMENT_POINTS


class WhaleTransaction(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.WHALE_TRANSACTION.value):
    """A payment of at least `minimum_amount` coins is confirmed on the token's chain."""

    minimum_amount: Decimal


class NewsImpact(msgspec.Struct, frozen=True, tag_field="type", tag=AlertType.NEWS_IMPACT.value):
    """An article that mentions the token has at least this impact, 1 to 100."""

    minimum_impact: int


Condition: TypeAlias = (
    PriceAbove | PriceBelow | VolumeSpike | TechnicalIndicator | SentimentChange | WhaleTransaction | NewsImpact
)


def condition_of(alert_type: str, details: dict[str, Any]) -> Condition:
    """Returns a stored condition, typed."""
    condition: Condition = msgspec.convert({**details, "type": alert_type}, Condition)
    return condition


class Alert(msgspec.Struct, frozen=True):
    """An alert of a user. `triggered`, `triggered_at`, `trigger_count` and `current_value` describe the time since
    `armed_at`: changing an alert, or enabling it again, rearms it."""

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
    is_armed: bool

    @property
    def condition(self) -> Condition:
        """The condition, typed."""
        return condition_of(self.alert_type, self.condition_details)


class NewAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert to create. `cooldown_s` is required with AFTER_COOLDOWN, and not allowed otherwise."""

    symbol: str
    condition: Condition
    rearm: Rearm = Rearm.ONCE
    cooldown_s: int | None = None
    enabled: bool = True
    expires_at: datetime | None = None


class AlertChanges(Changes, frozen=True, kw_only=True):
    """Changes to an alert. UNSET leaves a field unchanged. A `rearm` without a cooldown clears it."""

    condition: Condition | UnsetType = UNSET
    rearm: Rearm | UnsetType = UNSET
    cooldown_s: int | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET


class ArmedAlert(msgspec.Struct, frozen=True):
    """An alert that may fire."""

    id: UUID
    user_id: UUID
    symbol: str
    alert_type: str
    threshold_value: Decimal
    condition_details: dict[str, Any]
    armed_at: datetime

    @property
    def condition(self) -> Condition:
        """The condition, typed."""
        return condition_of(self.alert_type, self.condition_details)


class CrossedAlert(ArmedAlert, frozen=True):
    """An alert whose threshold was crossed, and the 1-based position of the crossing."""

    ord: int


class Crossing(msgspec.Struct, frozen=True):
    """A measured value that went from `before` to `after`. Values without a predecessor, such as news, start at 0.

    It concerns the alerts of this type on this symbol whose conditions contain `details` and that were armed before
    `armed_before`; null: at any time.
    """

    symbol: str
    alert_type: AlertType
    before: Decimal
    after: Decimal
    details: dict[str, Any] = {}
    armed_before: datetime | None = None
    source: str = ""
    """The source of a price; empty for calculated values."""
    text: tuple[str, str] | None = None
    """The title and message of the notification; null: they follow from the condition and the value."""


class ArmedMeasure(msgspec.Struct, frozen=True):
    """What some armed alerts measure of a symbol. `details` is the part of their conditions that says so."""

    symbol: str
    details: dict[str, Any]


class Mark(msgspec.Struct, frozen=True):
    """How far a subject was evaluated: the value last measured, or the position last read."""

    subject: str
    value: Decimal | None
    position: int | None
    at: datetime


class LockedMark(msgspec.Struct, frozen=True):
    """A mark, and the source of its value. Values of different sources are not compared."""

    subject: str
    value: Decimal | None
    basis: str
    position: int | None
    at: datetime


class AlertingArticle(msgspec.Struct, frozen=True):
    """An article as alerts on news evaluate it."""

    title: str
    url: str
    impact: int
    symbols_mentioned: list[str]
    created_at: datetime


class Firing(msgspec.Struct, frozen=True):
    """An alert whose condition is met, and its notification. `value` is what was measured."""

    alert_id: UUID
    value: Decimal
    title: str
    message: str


class AlertChange(StrEnum):
    """What happened to an alert, as its events say it."""

    CREATED = "alert.created"
    CHANGED = "alert.changed"
    FIRED = "alert.fired"
    DELETED = "alert.deleted"


def alert_stream(user_id: UUID) -> str:
    """The stream of a user's alerts."""
    return f"alerts:{user_id}"


def alert_fact(change: AlertChange, user_id: UUID, alert_id: UUID) -> Fact:
    """The event of a change."""
    return Fact(alert_stream(user_id), change, {"id": str(alert_id)})


class FiredAlert(msgspec.Struct, frozen=True):
    """An alert that has fired, and the notification of its owner. `value` is what was measured, in all its digits."""

    id: UUID
    user_id: UUID
    symbol: str
    alert_type: str
    value: str
    title: str
    message: str


class AlertFired(msgspec.Struct, frozen=True):
    """The payload of the event that notifies a user of an alert. `id` is the notification's."""

    id: UUID
    created_at: datetime
    alert_id: UUID
    alert_type: AlertType
    symbol: str
    value: Decimal


def alert_fired_of(payload: dict[str, Any]) -> AlertFired | None:
    """The payload of a notification's event; None for a notification that is not about an alert."""
    return msgspec.convert(payload, AlertFired) if "alert_type" in payload else None


class AlertLimitReached(Problem):
    """You have the maximum number of alerts. Delete one first."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"You have {limit} alerts, which is the maximum. Delete one first.")
        self.limit = limit
