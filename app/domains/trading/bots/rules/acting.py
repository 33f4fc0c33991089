"""What is done about what a bot decided. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from app.domains.trading.bots.model import HeldEntry
from app.domains.trading.bots.rules.deciding import Decided
from app.domains.trading.orders.model import NewBracket
from app.domains.trading.strategies.model import SignalType
from app.domains.trading.strategies.rules.acting import Brakes, Losses, SizedEntry, bracket_of, why_not_to_buy

NOT_BOUGHT_YET: Final = "An earlier purchase is still to be filled."
NO_ROOM: Final = "There is no room for another entry."
NOTHING_HELD: Final = "There is nothing to sell."


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What is done: brackets are placed, each with its slot; everything is sold; or nothing, and why."""

    brackets: list[tuple[int | None, NewBracket]] = []
    sells: bool = False
    ignored: str | None = None


def act_on(
    each: Decided,
    held: Sequence[HeldEntry],
    entries: Sequence[tuple[int | None, SizedEntry]],
    at: datetime,
) -> Act:
    """What is done about a decision at a time, with the entries that it would buy."""
    due = each.due
    match each.decision.type:
        case SignalType.BUY:
            losses, brakes = Losses(due.lost_today, due.last_loss_at), Brakes(due.daily_loss_limit, due.cool_down_ms)
            if any(not entry.is_bought for entry in held):
                return Act(ignored=NOT_BOUGHT_YET)
            if reason := why_not_to_buy(losses, brakes, at):
                return Act(ignored=reason)
            if not entries:
                return Act(ignored=NO_ROOM)
            return Act(brackets=[(slot, bracket_of(due.symbol, entry)) for slot, entry in entries])
        case SignalType.SELL if held:
            return Act(sells=True)
        case SignalType.SELL:
            return Act(ignored=NOTHING_HELD)
        case _:
            return Act()
