"""Back-tests and sweeps as they are simulated."""

from typing import Annotated
from uuid import UUID

import msgspec
import strawberry

from app.domains.trading.backtests import loaders, model
from app.domains.trading.backtests.model import BacktestStatus
from app.engine.declarations.nodes import key_of
from app.engine.declarations.relations import related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import Followed, durable
from app.kit.errors import NotFound
from app.kit.events import Event
from app.schema.context import Info
from app.schema.trading.backtests.backtests import Backtest
from app.schema.trading.backtests.sweeps import BacktestSweep


@strawberry.type
class BacktestProgressEvent(StreamEvent):
    """How far a back-test was."""

    backtest_id: strawberry.Private[UUID]
    status: BacktestStatus = strawberry.field(description="What had become of it.")
    done: int = strawberry.field(name="doneCandleCount", description="How many candles were simulated.")
    total: int = strawberry.field(name="candleCount", description="How many candles there are to simulate.")
    backtest: Backtest | None = related(
        loaders.backtest_by_id,
        key="backtest_id",
        description="The back-test as it is now. Null if it is no longer stored.",
    )


@strawberry.type
class BacktestSweepProgressEvent(StreamEvent):
    """How far a sweep was."""

    sweep_id: strawberry.Private[UUID]
    status: BacktestStatus = strawberry.field(description="What had become of it.")
    done: int = strawberry.field(name="doneRunCount", description="How many runs were simulated.")
    total: int = strawberry.field(name="runCount", description="How many runs there are to simulate.")
    sweep: BacktestSweep | None = related(
        loaders.sweep_by_id, key="sweep_id", description="The sweep as it is now. Null if it is no longer stored."
    )


def _id_of(event: Event) -> UUID:
    return UUID(event.stream.removeprefix(model.STREAM))


def _backtest_event(event: Event) -> BacktestProgressEvent:
    fact = msgspec.convert(event.payload, model.ProgressFact)
    return BacktestProgressEvent(backtest_id=_id_of(event), status=fact.status, done=fact.done, total=fact.total)


def _sweep_event(event: Event) -> BacktestSweepProgressEvent:
    fact = msgspec.convert(event.payload, model.ProgressFact)
    return BacktestSweepProgressEvent(sweep_id=_id_of(event), status=fact.status, done=fact.done, total=fact.total)


@strawberry.type
class BacktestSubscription:
    """The progress of back-tests."""

    @durable(BacktestProgressEvent, payload=_backtest_event, per_s=0.5)
    async def backtest_progress(
        self,
        info: Info,
        backtest_id: Annotated[strawberry.ID, strawberry.argument(description="The global ID of the back-test.")],
    ) -> Followed:
        """How far a back-test of the viewer is, from when it was asked for on, or after `after`. The last event says
        how it ended.
        """
        info.context.require_viewer()
        id: UUID = key_of(backtest_id, Backtest)
        if await info.context.reads.one(loaders.backtest_by_id, id) is None:
            raise NotFound(Backtest)
        return Followed(model.backtest_stream(id), since=0)

    @durable(BacktestSweepProgressEvent, payload=_sweep_event, per_s=0.5)
    async def backtest_sweep_progress(
        self,
        info: Info,
        sweep_id: Annotated[strawberry.ID, strawberry.argument(description="The global ID of the sweep.")],
    ) -> Followed:
        """How far a sweep of the viewer is, from when it was asked for on, or after `after`. The last event says how it
        ended.
        """
        info.context.require_viewer()
        id: UUID = key_of(sweep_id, BacktestSweep)
        if await info.context.reads.one(loaders.sweep_by_id, id) is None:
            raise NotFound(BacktestSweep)
        return Followed(model.backtest_stream(id), since=0)
