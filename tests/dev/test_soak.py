"""Random histories of the rules of trading, and what a history that breaks something is shortened to."""

import pytest
from typer.testing import CliRunner

from app.__main__ import app
from app.dev.soak import histories
from app.dev.soak.histories import replayed, shortest, soak
from app.dev.soak.model import Broken, Pause, PlaceOrder, Restart, Step, Tick
from app.dev.soak.world import World
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.matching.rules.settlement import Settlement
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN

STEPS = 4_000
SEEDS = (101, 102, 103, 104)
MET = {
    *(
        f"fill {kind} {side} {liquidity}"
        for kind in ("limit", "stop_limit")
        for side in Side
        for liquidity in ("maker", "taker")
    ),
    *(f"fill {kind} {side} taker" for kind in ("market", "stop", "trailing_stop") for side in Side),
    *(f"fill {role}" for role in (None, "entry", "take_profit", "stop_loss")),
    *(f"cancelled {reason}" for reason in ("linked", "not_filled_at_once", "portfolio_closed", "protection")),
    *(f"cancelled {reason}" for reason in ("requested", "self_trade", "delisted")),
    *(f"rejected {reason}" for reason in ("halted", "market_closed", "post_only", "too_small", "delisted")),
    *(f"refused {reason}" for reason in ("invalid", "linked", "unknown")),
    *("replaced requested", "replaced linked", "expired expired"),
    *("fill between users", "fill beyond the buffer", "closed"),
}
"""What the histories of these seeds have to meet, so that they check something."""
BUY = Step(PlaceOrder(number=1, portfolio=0, symbol="BTC", side=Side.BUY, type=OrderType.MARKET, quantity=COIN))


def test_no_history_breaks_what_must_always_hold() -> None:
    met = set[str]()
    for seed in SEEDS:
        soaked = soak(STEPS, seed)
        assert soaked.failure is None
        assert soaked.steps == STEPS
        met.update(soaked.matched)
    assert MET - met == set()


def test_a_seed_does_the_same_each_time() -> None:
    one, other = soak(300, 7), soak(300, 7)
    assert one.matched == other.matched
    assert one.matched != soak(300, 8).matched


def test_a_failure_is_shortened_to_the_steps_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    _lose_cash(monkeypatch)
    idle = [Step(Pause(), 100), Step(Tick({"ETH": (10**12, 10**12)}, 0, 0))]
    problem = replayed([*idle, BUY, *idle])
    assert isinstance(problem, Broken)
    assert problem.law == "a purchase takes no more than it releases"
    assert shortest([*idle, BUY, *idle], problem) == [BUY]


def test_the_doctor_tells_the_seed_and_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    _lose_cash(monkeypatch)
    monkeypatch.setattr(histories, "ATTEMPTS", 100)
    result = CliRunner().invoke(app, ["doctor", "soak", "--steps", "500", "--seed", "5"])
    assert result.exit_code == 1
    assert "PlaceOrder(" in result.output
    assert "Broken(" in result.output
    assert "of seed 5 broke something (history 5:0)" in " ".join(result.output.split())


def test_the_doctor_reports_what_was_met() -> None:
    result = CliRunner().invoke(app, ["doctor", "soak", "--steps", "200", "--seed", "5"])
    assert result.exit_code == 0
    assert "200 steps with seed 5: all right" in result.output


def test_books_that_go_on_otherwise_are_noticed() -> None:
    world = World()
    world.do(Step(Restart()))
    world.venue.book("BTC").halt()
    with pytest.raises(Broken, match="rebuilt books continue as those before"):
        world.do(BUY)


def _lose_cash(monkeypatch: pytest.MonkeyPatch) -> None:
    """What orders reserved is never released."""
    monkeypatch.setattr(Settlement, "_reserve", lambda _: None)
