"""Making, changing and deleting alerts."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from msgspec import UNSET

from app.domains.market.alerts import model
from app.domains.market.alerts.rules import MAX_COINS, MAX_COOLDOWN_S, MAX_MULTIPLE, MAX_WINDOW_MINUTES
from app.domains.market.analysis.model import technical
from app.domains.market.prices.model import Interval as CandleInterval
from app.domains.market.tokens.model import TokenNotFound
from app.engine.nodes import key_of
from app.engine.problems import Problem, mutation, problem_type
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound
from app.schema.context import Info
from app.schema.market import problems as _problems  # noqa: F401  # declares the types that the unions below name
from app.schema.market.alerts import Alert, AlertRearm, Comparison
from app.schema.market.analysis.signals import Indicator
from app.schema.market.enums import Interval

COOLDOWN = f"Seconds, 1 to {MAX_COOLDOWN_S:,}; exactly with AFTER_COOLDOWN."


@problem_type(model.AlertLimitReached)
class AlertLimitReached(Problem):
    """The viewer has as many alerts as one may, fired ones included."""

    limit: int = strawberry.field(description="How many one may have.")


@strawberry.input
class PriceConditionInput:
    """A price to come to."""

    price: Decimal = strawberry.field(
        description="In dollars, above 0 and below 1,000,000,000,000, at most 12 decimals."
    )


@strawberry.input
class VolumeSpikeConditionInput:
    """How unusual a volume."""

    multiple: Decimal = strawberry.field(
        description=f"Times the usual volume, above 1 and at most {MAX_MULTIPLE}, at most 4 decimals."
    )
    window_minutes: int = strawberry.field(
        default=15, description=f"Over how many minutes, 5 to {MAX_WINDOW_MINUTES:,} in steps of 5."
    )


@strawberry.input
class TechnicalIndicatorConditionInput:
    """Where an indicator comes to."""

    indicator: Indicator = strawberry.field(description="Which one.")
    interval: Interval = strawberry.field(description="Of which candles.")
    comparison: Comparison = strawberry.field(description="From which side.")
    value: Decimal = strawberry.field(description="The threshold in the indicator's own unit, at most 12 decimals.")


@strawberry.input
class SentimentChangeConditionInput:
    """How far the sentiment moves."""

    points: int = strawberry.field(default=model.SENTIMENT_POINTS, description="By more than so many of 100, 1 to 99.")


@strawberry.input
class WhaleTransactionConditionInput:
    """How large a payment."""

    minimum_amount: Decimal = strawberry.field(
        description=f"In coins, above 0 and at most {MAX_COINS:,}, at most 8 decimals."
    )


@strawberry.input
class NewsImpactConditionInput:
    """How much news matter."""

    minimum_impact: int = strawberry.field(description="1 to 100.")


@strawberry.input(one_of=True)
class AlertConditionInput:
    """What to wait for: exactly one of these."""

    price_above: PriceConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="The price rises to a threshold or beyond, from below it."
    )
    price_below: PriceConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="The price falls to a threshold or beyond, from above it."
    )
    volume_spike: VolumeSpikeConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="The volume comes to a multiple of the usual, from below it."
    )
    technical_indicator: TechnicalIndicatorConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="An indicator comes to a threshold."
    )
    sentiment_change: SentimentChangeConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="The sentiment moves, up or down."
    )
    whale_tx: WhaleTransactionConditionInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="A large payment is confirmed on the token's chain: only for the token whose chain Moneta follows.",
    )
    news_impact: NewsImpactConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="There are news of some impact that mention the token."
    )

    def condition(self) -> model.Condition:
        """What is given of it."""
        if self.price_above:
            return model.PriceAbove(self.price_above.price)
        if self.price_below:
            return model.PriceBelow(self.price_below.price)
        if self.volume_spike:
            return model.VolumeSpike(self.volume_spike.multiple, self.volume_spike.window_minutes)
        if given := self.technical_indicator:
            return model.TechnicalIndicator(
                technical.Indicator[given.indicator.name],
                CandleInterval[given.interval.name],
                model.Comparison[given.comparison.name],
                given.value,
            )
        if self.sentiment_change:
            return model.SentimentChange(self.sentiment_change.points)
        if self.whale_tx:
            return model.WhaleTransaction(self.whale_tx.minimum_amount)
        assert self.news_impact, "one of them is given"
        return model.NewsImpact(self.news_impact.minimum_impact)


@strawberry.input
class CreateAlertInput:
    """An alert to make."""

    symbol: str = strawberry.field(description="Symbol of the token, in any case.")
    condition: AlertConditionInput = strawberry.field(description="What to wait for.")
    rearm: AlertRearm = strawberry.field(default=AlertRearm.ONCE, description="What becomes of it when it has fired.")
    cooldown_seconds: int | None = strawberry.field(default=None, description=COOLDOWN)
    enabled: bool = strawberry.field(default=True, description="Whether it may fire.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="From when on it does not fire, and is deleted within a day; null: never."
    )
    idempotency_key: str = strawberry.field(
        description="1 to 200 characters of your own choice; a repeat with the same input is answered as the first"
        " time, for 7 days."
    )


@strawberry.input
class UpdateAlertInput:
    """What to change of an alert; what is left out stays as it is. An alert that is enabled then is armed anew: it
    counts as not fired. One that is disabled keeps what it has done.
    """

    id: strawberry.ID = strawberry.field(description="The alert's global id.")
    condition: AlertConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="What to wait for, of the same type; null leaves it as it is."
    )
    rearm: AlertRearm | None = strawberry.field(
        default=strawberry.UNSET, description="What becomes of it when it has fired; null leaves it as it is."
    )
    cooldown_seconds: int | None = strawberry.field(default=strawberry.UNSET, description=COOLDOWN)
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it may fire; null leaves it as it is."
    )
    expires_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="From when on it does not fire, and is deleted within a day; null: never."
    )

    def changes(self) -> model.AlertChanges:
        """What is given of it."""
        return model.AlertChanges(
            condition=self.condition.condition() if self.condition else UNSET,
            rearm=model.Rearm[self.rearm.name] if self.rearm else UNSET,
            cooldown_s=_given(self.cooldown_seconds),
            enabled=self.enabled if isinstance(self.enabled, bool) else UNSET,
            expires_at=_given(self.expires_at),
        )


@strawberry.input
class DeleteAlertInput:
    """An alert to delete."""

    id: strawberry.ID = strawberry.field(description="The alert's global id.")


@strawberry.type
class CreateAlertPayload:
    """The alert was made, now or when the idempotency key was first used."""

    alert: Alert = strawberry.field(description="The alert as it stands now.")


@strawberry.type
class UpdateAlertPayload:
    """The alert was changed."""

    alert: Alert = strawberry.field(description="The alert as it stands now.")


@strawberry.type
class DeleteAlertPayload:
    """The alert was deleted. Notifications that it made stay."""

    deleted_id: strawberry.ID = strawberry.field(description="Its global id, which now leads nowhere.")


@strawberry.type
class AlertingMutation:
    """Making, changing and deleting alerts."""

    @mutation(
        CreateAlertPayload,
        InvalidInput,
        NotFound,
        TokenNotFound,
        model.AlertLimitReached,
        IdempotencyKeyReused,
    )
    async def create_alert(self, info: Info, input: CreateAlertInput) -> Any:
        """Makes an alert, which is armed at once if it is enabled."""
        new = model.NewAlert(
            symbol=input.symbol,
            condition=input.condition.condition(),
            rearm=model.Rearm[input.rearm.name],
            cooldown_s=input.cooldown_seconds,
            enabled=input.enabled,
            expires_at=input.expires_at,
        )
        alert: Any = await info.context.services.market.alerts.create(
            info.context.require_viewer(), new, input.idempotency_key
        )
        return CreateAlertPayload(alert=alert)

    @mutation(UpdateAlertPayload, InvalidInput, NotFound)
    async def update_alert(self, info: Info, input: UpdateAlertInput) -> Any:
        """Changes an alert, and arms it anew."""
        alert: Any = await info.context.services.market.alerts.update(
            info.context.require_viewer(), key_of(input.id, "Alert"), input.changes()
        )
        return UpdateAlertPayload(alert=alert)

    @mutation(DeleteAlertPayload, NotFound)
    async def delete_alert(self, info: Info, input: DeleteAlertInput) -> Any:
        """Deletes an alert."""
        await info.context.services.market.alerts.delete(info.context.require_viewer(), key_of(input.id, "Alert"))
        return DeleteAlertPayload(deleted_id=input.id)


def _given(value: Any) -> Any:
    """Strawberry and msgspec each have a word for what was left out."""
    return UNSET if value is strawberry.UNSET else value
