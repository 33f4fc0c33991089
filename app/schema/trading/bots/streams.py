"""Signals and bots as they happen."""

from typing import Annotated
from uuid import UUID

import msgspec
import strawberry

from app.domains.trading.bots import loaders, model
from app.domains.trading.bots.model import BotStatus, ExecutionStatus
from app.engine.declarations.nodes import key_of
from app.engine.declarations.relations import related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.kit.errors import NotFound
from app.kit.events import Event
from app.schema.context import Info
from app.schema.trading.bots.bots import Bot
from app.schema.trading.bots.signals import BotSignal


@strawberry.type
class SignalEvent(StreamEvent):
    """A bot made a signal, or something became of one."""

    signal_id: strawberry.Private[UUID]
    status: ExecutionStatus = strawberry.field(description="What had become of the signal.")
    status_reason: str | None = strawberry.field(
        description="Why it was not executed, in English. Null unless the status is FAILED or IGNORED."
    )
    bot_signal: BotSignal | None = related(
        loaders.signal_by_id, key="signal_id", description="The signal as it is now. Null if it is no longer stored."
    )


@strawberry.type
class BotUpdateEvent(StreamEvent):
    """A bot was created, changed, started, paused, stopped or deleted, or one of its orders was filled."""

    bot_id: strawberry.Private[UUID]
    status: BotStatus = strawberry.field(description="Whether the bot decided then.")
    status_reason: str | None = strawberry.field(
        description="Why it stopped by itself, in English. Null unless the status is ERROR."
    )
    bot: Bot | None = related(
        loaders.bot_by_id, key="bot_id", description="The bot as it is now. Null if it was deleted."
    )


def _signal_event(event: Event) -> SignalEvent:
    if event.kind == model.BOT_DELETED:
        raise NotFound(Bot)
    fact = msgspec.convert(event.payload, model.SignalFact)
    return SignalEvent(signal_id=fact.signal_id, status=fact.execution_status, status_reason=fact.status_reason)


def _bot_event(event: Event) -> BotUpdateEvent:
    fact = msgspec.convert(event.payload, model.BotFact)
    return BotUpdateEvent(bot_id=fact.bot_id, status=fact.status, status_reason=fact.status_reason)


@strawberry.type
class BotSubscription:
    """Bots and their signals."""

    @durable(SignalEvent, payload=_signal_event, per_s=0.1)
    async def signals(
        self,
        info: Info,
        bot_id: Annotated[strawberry.ID, strawberry.argument(description="The global ID of the bot.")],
    ) -> str:
        """The signals of a bot of the viewer as they are made and executed, in order."""
        info.context.require_viewer()
        id: UUID = key_of(bot_id, Bot)
        if await info.context.reads.one(loaders.bot_by_id, id) is None:
            raise NotFound(Bot)
        return model.signal_stream(id)

    @durable(BotUpdateEvent, payload=_bot_event, per_s=0.5)
    async def bot_updates(self, info: Info) -> str:
        """The viewer's bots as they change and trade, in order."""
        return model.bot_stream(info.context.require_viewer().user_id)
