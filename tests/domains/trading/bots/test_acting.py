"""What is done about a decision, apart from the database."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from app.domains.trading.bots.model import DueBot, HeldEntry
from app.domains.trading.bots.rules.acting import NO_ROOM, NOT_BOUGHT_YET, NOTHING_HELD, Act, act_on
from app.domains.trading.bots.rules.deciding import Decided
from app.domains.trading.strategies.model import Decision, RiskLevel, SignalType
from app.domains.trading.strategies.rules.acting import SizedEntry, bracket_of

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
ENTRY = SizedEntry(Decimal("0.5"), Decimal(110), Decimal(95))
DUE = DueBot(
    bot_id=UUID(int=1),
    user_id=UUID(int=2),
    portfolio_id=UUID(int=3),
    symbol="BTC",
    config={"type": "dca"},
    max_position_size=Decimal(1000),
    stop_loss_percentage=Decimal(5),
    take_profit_percentage=Decimal(10),
    risk_level=RiskLevel.HIGH,
    daily_loss_limit=Decimal(50),
    cool_down_ms=3_600_000,
    ai_model=None,
    state=None,
    last_type=None,
    lost_today=Decimal(0),
    last_loss_at=None,
)
HELD = HeldEntry(
    id=UUID(int=4),
    bot_id=DUE.bot_id,
    symbol="BTC",
    slot=None,
    is_bought=True,
    bought_quantity=Decimal(1),
    sold_quantity=Decimal(0),
    average_price=Decimal(100),
    opened_at=NOON,
    take_profit_id=UUID(int=5),
    has_exit=True,
    stop_loss_price=Decimal(95),
    life=1,
)


def act(
    type: SignalType,
    held: tuple[HeldEntry, ...] = (),
    entries: tuple[tuple[int | None, SizedEntry], ...] = ((None, ENTRY),),
    **due: Any,
) -> Act:
    decision = Decision(type=type, confidence=50, reasoning="Because.")
    each = Decided(replace(DUE, **due), decision, held, Decimal(100))
    return act_on(each, held, entries, NOON)


def test_a_grid_buys_several_slots_in_their_order() -> None:
    other = SizedEntry(Decimal(2), Decimal(100), Decimal(80))
    found = act(SignalType.BUY, entries=((7, ENTRY), (6, other)))
    assert found == Act(brackets=[(7, bracket_of("BTC", ENTRY)), (6, bracket_of("BTC", other))])


def test_losses_keep_it_from_buying_and_not_from_selling() -> None:
    for losses in ({"lost_today": Decimal(50)}, {"last_loss_at": NOON}):
        bought = act(SignalType.BUY, **losses)
        assert bought.ignored
        assert not bought.brackets
        assert act(SignalType.SELL, (HELD,), **losses) == Act(sells=True)


def test_nothing_is_bought_while_an_earlier_purchase_is_open() -> None:
    open_ = replace(HELD, is_bought=False)
    assert act(SignalType.BUY, (HELD, open_)) == Act(ignored=NOT_BOUGHT_YET)
    assert act(SignalType.BUY, (HELD,)).brackets


def test_holding_does_nothing_without_a_reason() -> None:
    assert act(SignalType.HOLD, (HELD,)) == Act()


def test_what_cannot_be_done_is_ignored_with_its_reason() -> None:
    assert act(SignalType.SELL) == Act(ignored=NOTHING_HELD)
    assert act(SignalType.BUY, entries=()) == Act(ignored=NO_ROOM)
