"""Creating, changing, starting and ending bots."""

from decimal import Decimal
from typing import Any

import strawberry

from app.domains.trading.bots import loaders, model
from app.domains.trading.bots.services.bots import Bots
from app.domains.trading.services import TradingServices
from app.domains.trading.strategies.model import POSITION_USD, STOP_LOSS_PERCENTAGE, TAKE_PROFIT_PERCENTAGE
from app.engine.declarations.durations import Milliseconds
from app.engine.declarations.nodes import key_of
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.kit import errors
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.market.prices.candles import Interval
from app.schema.numbers import exact
from app.schema.trading.bot_settings import AMOUNT, COOL_DOWN, LOSS_LIMIT, POSITION, RISK, STOP_LOSS, TAKE_PROFIT, known
from app.schema.trading.bots.bots import Bot
from app.schema.trading.changes import LiveTradingUnavailable, PaperPortfolioRequired, PortfolioNotOpen
from app.schema.trading.portfolios import Portfolio
from app.schema.trading.strategies import RiskLevel, StrategyInput

NAME = "The name, 1 to 100 characters."
SYMBOLS = f"The symbols of the tokens that it trades, in any case: 1 to {model.MAX_SYMBOLS}."
MODEL = (
    f"The language model that adds words to its reasons, 1 to {model.MAX_MODEL_CHARS} characters. It is asked only if"
    " Moneta is configured with it."
)
INACTIVE = "Only while the bot is not active."
KEPT = "Omitted: unchanged. Not null."


@problem_type(model.BotLimitReached)
class BotLimitReached(Problem):
    """The viewer has the maximum number of bots."""

    limit: int = strawberry.field(description="The maximum number of bots.")


@problem_type(model.NoCandles)
class NoCandles(Problem):
    """There are no candles of a token to decide on."""

    symbol: str = strawberry.field(description="The token's symbol.")


@problem_type(model.BotIsActive)
class BotIsActive(Problem):
    """The bot is active, and this can be changed only while it is not."""


@strawberry.input
class CreateBotInput:
    """The bot to create."""

    portfolio_id: strawberry.ID = strawberry.field(description="The global ID of the portfolio that it trades in.")
    name: str = strawberry.field(description=NAME)
    strategy: StrategyInput = strawberry.field(description="What it decides by.")
    target_symbols: list[str] = strawberry.field(name="symbols", description=SYMBOLS)
    interval: Interval | None = strawberry.field(
        default=None, description="The length of the candles that it decides on. Null: ONE_HOUR."
    )
    max_position_usd: Decimal | None = strawberry.field(
        default=None, description=f"{POSITION} Null: {POSITION_USD:,f}."
    )
    stop_loss_percentage: float | None = strawberry.field(
        default=None, description=f"{STOP_LOSS} Null: {STOP_LOSS_PERCENTAGE:f}."
    )
    take_profit_percentage: float | None = strawberry.field(
        default=None, description=f"{TAKE_PROFIT} Null: {TAKE_PROFIT_PERCENTAGE:f}."
    )
    risk_level: RiskLevel | None = strawberry.field(default=None, description=f"{RISK} Null: MEDIUM.")
    daily_loss_limit_usd: Decimal | None = strawberry.field(default=None, description=f"{LOSS_LIMIT} Null: no limit.")
    cool_down_ms: Milliseconds | None = strawberry.field(default=None, description=f"{COOL_DOWN} Null: 0.")
    initial_investment_usd: Decimal | None = strawberry.field(
        default=None,
        description=f"What its return is measured by: {AMOUNT} Null: {model.INITIAL_INVESTMENT_USD:,f}.",
    )
    ai_model: str | None = strawberry.field(default=None, description=f"{MODEL} Null: {model.AI_MODEL}.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)

    def new(self) -> model.NewBot:
        """The bot to create."""
        names = {each for each in model.NewBot.__struct_fields__ if each not in {"portfolio_id", "strategy"}}
        given = {name: exact(value) for name, value in vars(self).items() if name in names and value is not None}
        return model.NewBot(portfolio_id=key_of(self.portfolio_id, Portfolio), strategy=self.strategy.config(), **given)


@strawberry.input
class UpdateBotInput:
    """Changes to a bot. Fields that are omitted stay unchanged."""

    id: strawberry.ID = strawberry.field(description="The global ID of the bot.")
    name: str | None = changeable(description=f"{NAME} {KEPT}")
    strategy: StrategyInput | None = changeable(
        description=f"What it decides by. The levels of a grid are laid anew. {INACTIVE} {KEPT}"
    )
    target_symbols: list[str] | None = changeable(name="symbols", description=f"{SYMBOLS} {INACTIVE} {KEPT}")
    interval: Interval | None = changeable(
        description=f"The length of the candles that it decides on. {INACTIVE} {KEPT}"
    )
    max_position_usd: Decimal | None = changeable(description=f"{POSITION} {KEPT}")
    stop_loss_percentage: float | None = changeable(description=f"{STOP_LOSS} Of new entries. {KEPT}")
    take_profit_percentage: float | None = changeable(description=f"{TAKE_PROFIT} Of new entries. {KEPT}")
    risk_level: RiskLevel | None = changeable(description=f"{RISK} {KEPT}")
    daily_loss_limit_usd: Decimal | None = changeable(description=f"{LOSS_LIMIT} Null: no limit.")
    cool_down_ms: Milliseconds | None = changeable(description=f"{COOL_DOWN} {KEPT}")
    ai_model: str | None = changeable(description=f"{MODEL} Null: none.")


@strawberry.input
class StartBotInput:
    """The bot to start."""

    id: strawberry.ID = strawberry.field(description="The global ID of the bot.")


@strawberry.input
class PauseBotInput:
    """The bot to pause."""

    id: strawberry.ID = strawberry.field(description="The global ID of the bot.")


@strawberry.input
class StopBotInput:
    """The bot to stop."""

    id: strawberry.ID = strawberry.field(description="The global ID of the bot.")
    sell: bool | None = strawberry.field(
        default=None, description="Whether to sell at the market what it holds. Null: false, and its exits stay."
    )


@strawberry.input
class DeleteBotInput:
    """The bot to delete."""

    id: strawberry.ID = strawberry.field(description="The global ID of the bot.")


@strawberry.type
class CreateBotPayload:
    """The bot was created, now or when the idempotency key was first used. It is paused until it is started."""

    bot: Bot = strawberry.field(description="The bot as it is now.")


@strawberry.type
class UpdateBotPayload:
    """The bot was changed."""

    bot: Bot = strawberry.field(description="The bot as it is now.")


@strawberry.type
class StartBotPayload:
    """The bot is active, now or since before: it decides from the end of the next candle on."""

    bot: Bot = strawberry.field(description="The bot as it is now.")


@strawberry.type
class PauseBotPayload:
    """The bot is paused, now or since before. What it holds keeps its exits."""

    bot: Bot = strawberry.field(description="The bot as it is now.")


@strawberry.type
class StopBotPayload:
    """The bot is stopped, now or since before."""

    bot: Bot = strawberry.field(description="The bot as it is now.")
    unsold: int = strawberry.field(
        name="unsoldTokenCount",
        description="In how many tokens selling was refused, as while their market is closed. 0 if nothing was to be"
        " sold.",
    )


@strawberry.type
class DeleteBotPayload:
    """The bot was deleted. Its orders stay in the portfolio, with their exits."""

    deleted_id: strawberry.ID = strawberry.field(description="The global ID, which is no longer in use.")


@strawberry.type
class BotMutation:
    """Changes to the viewer's bots."""

    @mutation(
        CreateBotPayload,
        InvalidInput,
        NotFound,
        PortfolioNotOpen,
        LiveTradingUnavailable,
        PaperPortfolioRequired,
        BotLimitReached,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def create_bot(self, info: Info, input: CreateBotInput) -> Any:
        """Creates a bot, which is paused."""
        id = await known(
            _bots(info).create(info.context.require_viewer(), input.new(), input.idempotency_key), "target_symbols"
        )
        try:
            return CreateBotPayload(bot=await _read(info, id))
        except errors.NotFound:
            raise errors.ResultDeleted from None

    @mutation(UpdateBotPayload, InvalidInput, NotFound, BotIsActive)
    async def update_bot(self, info: Info, input: UpdateBotInput) -> Any:
        """Changes what a bot is set to. What it decides by is changed only while it is not active."""
        viewer, id = info.context.require_viewer(), key_of(input.id, Bot)
        changes = changes_of(
            input,
            model.BotChanges,
            strategy=("strategy", StrategyInput.config),
            stop_loss_percentage=("stop_loss_percentage", exact),
            take_profit_percentage=("take_profit_percentage", exact),
        )
        await known(_bots(info).update(viewer, id, changes), "target_symbols")
        return UpdateBotPayload(bot=await _read(info, id))

    @mutation(StartBotPayload, NotFound, PortfolioNotOpen, LiveTradingUnavailable, PaperPortfolioRequired, NoCandles)
    async def start_bot(self, info: Info, input: StartBotInput) -> Any:
        """Lets a bot decide from the end of the next candle on. What it missed is not made up for."""
        viewer, id = info.context.require_viewer(), key_of(input.id, Bot)
        await _bots(info).start(viewer, id)
        return StartBotPayload(bot=await _read(info, id))

    @mutation(PauseBotPayload, NotFound)
    async def pause_bot(self, info: Info, input: PauseBotInput) -> Any:
        """Lets a bot decide no more, until it is started again. What it holds keeps its exits."""
        viewer, id = info.context.require_viewer(), key_of(input.id, Bot)
        await _bots(info).pause(viewer, id)
        return PauseBotPayload(bot=await _read(info, id))

    @mutation(StopBotPayload, NotFound)
    async def stop_bot(self, info: Info, input: StopBotInput) -> Any:
        """Lets a bot decide no more, and sells at the market what it holds if that is asked for."""
        viewer, id = info.context.require_viewer(), key_of(input.id, Bot)
        unsold = await _bots(info).stop(viewer, id, sell=bool(input.sell))
        return StopBotPayload(bot=await _read(info, id), unsold=unsold)

    @mutation(DeleteBotPayload, NotFound)
    async def delete_bot(self, info: Info, input: DeleteBotInput) -> Any:
        """Deletes a bot: it and its signals are seen no more. What it holds stays in the portfolio."""
        await _bots(info).delete(info.context.require_viewer(), key_of(input.id, Bot))
        return DeleteBotPayload(deleted_id=input.id)


def _bots(info: Info) -> Bots:
    return info.context.services[TradingServices].bots


async def _read(info: Info, id: Any) -> Any:
    """The bot as it is now. Raises NotFound if it was deleted meanwhile."""
    found = await info.context.reads.one(loaders.bot_by_id, id)
    if found is None:
        raise errors.NotFound(model.Bot)
    return found
