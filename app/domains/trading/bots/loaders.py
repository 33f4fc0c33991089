"""The loaders of bots, which only their owner can read."""

from app.domains.trading.bots.model import BotStatus, ExecutionStatus
from app.domains.trading.bots.statements import BotSql
from app.domains.trading.strategies.model import SignalType, Strategy
from app.kit.lists import at_least, before, by, constant, equals
from app.kit.loaders import Audience, many, one, page

bot_by_id = one(BotSql.bots_by_ids, key="id", audience=Audience.VIEWER)
bots_by_user = page(
    BotSql.bots_by_user,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={"status": constant("status", BotStatus), "strategy": constant("strategy", Strategy)},
    audience=Audience.VIEWER,
)
states_by_bot = many(BotSql.states_by_bots, audience=Audience.VIEWER)
signal_by_id = one(BotSql.signals_by_ids, key="id", audience=Audience.VIEWER)
signals_by_bot = page(
    BotSql.signals_by_bot,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={
        "symbol": equals("symbol"),
        "type": constant("signal_type", SignalType),
        "status": constant("execution_status", ExecutionStatus),
        "since": at_least("created_at"),
        "until": before("created_at"),
    },
    audience=Audience.VIEWER,
)
entries_by_bot = page(
    BotSql.entries_by_bot,
    orders={"OPENED_AT": by("opened_at", "id", descending=True)},
    filters={"open": constant("is_open")},
    audience=Audience.VIEWER,
)
orders_by_bot = page(
    BotSql.orders_by_bot,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    audience=Audience.VIEWER,
)
performance_by_bot = one(BotSql.performance_of_bots, key="bot_id", audience=Audience.VIEWER)
