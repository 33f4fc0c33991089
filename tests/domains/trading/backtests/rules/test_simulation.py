"""How a bot is simulated: when it decides, at which prices it trades, and what it cannot know."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domains.market.prices.model import Interval
from app.domains.trading.backtests.model import CandlesMissing
from app.domains.trading.backtests.model.reports import Exit, Report
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.simulation import Simulation
from app.domains.trading.exchange.model import Liquidity
from app.domains.trading.quantities.model import Side
from app.domains.trading.strategies.model import (
    Arbitrage,
    Breakout,
    Config,
    Dca,
    Grid,
    MeanReversion,
    Momentum,
    PatternRecognition,
    RiskLevel,
    Scalping,
    SignalType,
    TrendFollowing,
)
from tests.domains.trading.backtests.rules.scripts import BEGIN, RUN, candles_of, report, simulation, walk_of

BUY, SELL = SignalType.BUY, SignalType.SELL
FLAT = ("100", "100", "100", "100")
HOUR = timedelta(hours=1)
CONFIGS: list[Config] = [
    Dca(every_candles=5),
    Grid(),
    Momentum(threshold_percentage=Decimal("0.5")),
    MeanReversion(deviations=Decimal(1)),
    Scalping(volume_ratio=Decimal("0.5")),
    Arbitrage(entry_spread_percentage=Decimal("0.1"), exit_spread_percentage=Decimal("0.05")),
    TrendFollowing(fast_period=5, slow_period=10, least_adx=Decimal(5)),
    Breakout(entry_period=5, exit_period=3),
    PatternRecognition(),
]


def fills(prices: list[tuple[str, str, str, str]], types: Mapping[int, SignalType], **given: Any) -> list[Any]:
    """The fills of these candles: side, price, when in hours, whether it waited, why it was sold."""
    made = simulation(candles_of(prices), types, **given)
    made.run()
    return [(each.side, each.price, (each.created_at - BEGIN) / HOUR, each.liquidity) for each in made.sandbox.fills]


def run_of(config: Config, count: int = 400, seed: int = 3, **terms: Any) -> Report:
    run = replace(RUN, bot=replace(RUN.bot, config=config, **terms))
    market = Market(walk_of(count, seed), has_second=True)
    return Simulation(run, market, 0, len(market)).run()


def test_what_is_decided_at_an_end_is_bought_at_the_next_open() -> None:
    [bought] = fills([("90", "91", "89", "90"), ("100", "101", "99", "100"), FLAT], {0: BUY})
    # Half the spread of the house above the open, 0.002% at a volume of a billion dollars, on a tick.
    assert bought == (Side.BUY, Decimal("100.01"), 1.0, Liquidity.TAKER)


def test_what_is_decided_at_the_last_end_is_not_done() -> None:
    assert fills([FLAT, FLAT], {1: BUY}) == []
    assert report(candles_of([FLAT, FLAT]), {1: BUY}).metrics.buy_signals == 0


def test_the_low_comes_before_the_high() -> None:
    """A candle that reaches both exits loses: the extreme against the position is first."""
    found = fills([FLAT, FLAT, ("100", "120", "90", "100")], {0: BUY})
    assert [each[0] for each in found] == [Side.BUY, Side.SELL]
    assert found[1] == (Side.SELL, Decimal("94.998"), pytest.approx(2 + 1 / 6), Liquidity.TAKER)


def test_a_stop_triggers_at_its_own_price_on_the_way_through_a_candle() -> None:
    [_, sold] = fills([FLAT, FLAT, ("100", "100", "80", "80")], {0: BUY})
    assert sold[1] < 95
    assert sold[1] > Decimal("94.9")


def test_a_stop_that_is_gapped_over_is_filled_at_the_gap() -> None:
    [_, sold] = fills([FLAT, FLAT, ("80", "81", "79", "80")], {0: BUY})
    assert sold == (Side.SELL, Decimal("79.998"), 2.0, Liquidity.TAKER)


def test_a_take_profit_is_filled_at_its_own_price_once_the_house_bids_that() -> None:
    [_, sold] = fills([FLAT, FLAT, ("100", "115", "100", "100")], {0: BUY})
    assert sold == (Side.SELL, Decimal(110), pytest.approx(2 + 2 / 3), Liquidity.MAKER)
    # The price reaches it, but what the house bids does not.
    assert len(fills([FLAT, FLAT, ("100", "110", "100", "100")], {0: BUY})) == 1


def test_a_sale_is_at_the_bids_of_the_next_open_and_sells_all() -> None:
    made = simulation(candles_of([FLAT] * 5), {0: BUY, 1: BUY, 3: SELL})
    found = made.run()
    sold = [each for each in made.sandbox.fills if each.side is Side.SELL]
    assert [(each.price, each.created_at) for each in sold] == [(Decimal("99.997"), BEGIN + 4 * HOUR)] * 2
    assert [each.exit for each in found.trips] == [Exit.SIGNAL] * 2
    assert found.open is None
    assert made.sandbox.held == []


def test_a_sale_meets_a_gap_as_well() -> None:
    [_, sold] = fills([FLAT, FLAT, FLAT, ("97", "97", "97", "97")], {0: BUY, 2: SELL})
    assert sold[1] == Decimal("96.997")


def test_a_candle_that_is_missing_is_a_gap() -> None:
    candles = candles_of([FLAT, FLAT, ("80", "80", "80", "80"), FLAT], missing=[2])
    found = report(candles, {0: BUY})
    assert found.missing_candles == 1
    assert found.candles == 4
    assert found.trips[0].closed_at == BEGIN + 3 * HOUR


def test_what_is_held_at_the_end_is_worth_the_last_close() -> None:
    found = report(candles_of([FLAT, FLAT, ("100", "104", "99", "104")]), {0: BUY})
    assert found.open is not None
    assert found.open.quantity == 5
    assert found.open.value_usd == 520
    # 5 coins at 100.01, and 0.2% of that.
    assert found.open.cost_usd == Decimal("501.0501")
    assert found.metrics.final_value_usd == Decimal("10018.9499")
    assert found.metrics.round_trips == 0
    assert found.metrics.realized_pnl_usd == 0


def test_the_parts_of_a_report_add_up() -> None:
    made = simulation(walk_of(500), dict.fromkeys(range(0, 500, 3), BUY) | dict.fromkeys(range(1, 500, 21), SELL))
    found = made.run()
    metrics, fills = found.metrics, made.sandbox.fills
    assert metrics.round_trips == len(found.trips) > 20
    assert sum(each.pnl_usd for each in found.trips) == metrics.realized_pnl_usd
    assert sum(each.fee for each in fills) == metrics.fees_usd
    open_pnl = Decimal(0) if found.open is None else found.open.pnl_usd
    assert RUN.initial_cash_usd + metrics.realized_pnl_usd + open_pnl == metrics.final_value_usd
    assert found.curve[-1].value_usd == metrics.final_value_usd
    assert metrics.return_fraction == pytest.approx(float(metrics.final_value_usd / RUN.initial_cash_usd - 1))
    assert metrics.max_drawdown == pytest.approx(max(each.drawdown for each in found.curve))
    bought = sum(each.quantity for each in fills if each.side is Side.BUY)
    held = Decimal(0) if found.open is None else found.open.quantity
    assert bought == sum(each.quantity for each in found.trips) + held
    assert {each.exit for each in found.trips} == set(Exit)


def test_holding_is_compared_after_the_spread_and_the_fee() -> None:
    found = report(candles_of([FLAT, ("100", "200", "100", "200"), ("200", "200", "150", "150")]), {})
    # 10,000 / 1.002 dollars at 100.21: before the first candle nothing was traded, and the spread is wide.
    assert found.benchmark.final_value_usd == Decimal("14938.688634")
    assert found.benchmark.return_fraction == pytest.approx(0.4938688634)
    assert found.benchmark.max_drawdown == 0.25
    assert found.metrics.return_fraction == 0


def test_candles_before_the_first_are_seen_and_not_traded() -> None:
    candles = candles_of([("50", "50", "50", "50"), FLAT, FLAT, FLAT])
    made = simulation(candles, {0: BUY, 1: BUY}, first=1)
    found = made.run()
    assert found.begins_at == BEGIN + HOUR
    assert [each.created_at for each in made.sandbox.fills] == [BEGIN + 2 * HOUR]


def test_a_run_has_candles() -> None:
    with pytest.raises(CandlesMissing):
        report([], {})
    with pytest.raises(CandlesMissing):
        report(candles_of([FLAT]), {}, first=1)


def test_losses_stop_buying_until_midnight_and_while_it_cools_down() -> None:
    falls = [FLAT, FLAT, ("100", "100", "90", "100"), *[FLAT] * 30]
    types = {0: BUY, 3: BUY, 4: BUY, 24: BUY}
    found = report(candles_of(falls), types, daily_loss_limit_usd=Decimal(20))
    assert found.trips[0].pnl_usd < -20
    assert (found.metrics.ignored_signals, found.metrics.buy_signals, found.metrics.orders) == (2, 4, 3)
    assert found.last_ignored is not None
    assert "until midnight UTC" in found.last_ignored
    found = report(candles_of(falls), types, cool_down_ms=2 * 3_600_000)
    assert found.metrics.ignored_signals == 1
    assert found.last_ignored is not None
    assert "before 2026-01-05 04:10:00 UTC" in found.last_ignored


def test_an_entry_that_was_sold_with_a_profit_is_no_loss_though_an_earlier_one_was_dearer() -> None:
    dip = [FLAT, FLAT, ("96", "96", "96", "96"), ("96", "98.5", "96", "98"), *[("98", "98", "98", "98")] * 3]
    made = simulation(
        candles_of(dip), {0: BUY, 1: BUY, 4: BUY}, take_profit_percentage=Decimal(2), cool_down_ms=24 * 3_600_000
    )
    found = made.run()
    [closed] = made.sandbox.closed
    assert closed.pnl > 0
    assert [each.pnl_usd < 0 for each in found.trips] == [True], "first in, first out, it is one"
    assert (found.metrics.ignored_signals, found.metrics.orders) == (0, 4)


def test_what_a_stop_could_not_sell_for_lack_of_bids_is_sold_candle_by_candle() -> None:
    flat, gapped = ("100", "100", "100", "100"), ("80", "80", "80", "80")
    candles = candles_of([*[flat] * 9, *[gapped] * 20], volume="1")
    run = replace(RUN, initial_cash_usd=Decimal(1_000_000))
    buys = dict.fromkeys(range(8), SignalType.BUY)
    terms: dict[str, Any] = {"risk_level": RiskLevel.HIGH, "config": Dca(amount_usd=Decimal(9_000))}
    found = report(candles, buys, run=run, max_position_usd=Decimal(72_000), **terms)
    assert {each.exit for each in found.trips} == {Exit.STOP_LOSS}
    assert found.open is None


def test_an_order_that_is_refused_is_an_ignored_signal_with_its_reason() -> None:
    run = replace(RUN, initial_cash_usd=Decimal(400))
    found = report(candles_of([FLAT] * 3), {0: BUY}, run=run)
    assert found.metrics.ignored_signals == 1
    assert found.last_ignored == "400.00000000 USD are available."


def test_progress_is_heard_after_each_candle_and_what_it_raises_ends_the_run() -> None:
    class Stop(Exception):
        pass

    seen = list[int]()

    def hear(done: int) -> None:
        seen.append(done)
        if done == 3:
            raise Stop

    with pytest.raises(Stop):
        report(candles_of([FLAT] * 9), {}, advance=hear)
    assert seen == [1, 2, 3]


def test_a_curve_has_at_most_1000_points_and_ends_at_the_end() -> None:
    for count, points in ((1, 1), (1_000, 1_000), (1_001, 501), (2_500, 834)):
        found = report(walk_of(count), {})
        assert len(found.curve) == points
        assert found.curve[-1].at == found.ends_at == BEGIN + count * HOUR


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_every_strategy_trades(config: Config) -> None:
    found = run_of(config)
    assert found.metrics.fills > 1, found.last_ignored


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_the_future_changes_nothing_before_it(config: Config) -> None:
    """A run over candles, and one over candles that are others from a number on: until there they are the same."""
    run = replace(RUN, bot=replace(RUN.bot, config=config))
    candles, cut = walk_of(300, seed=5), 200
    others = [
        replace(each, open=each.open * 3, high=each.high * 5, low=each.low, close=each.close * 4, volume_usd=Decimal(7))
        for each in candles[cut:]
    ]
    runs = list[Any]()
    for each in (candles, [*candles[:cut], *others]):
        market = Market(each, has_second=True)
        made = Simulation(run, market, 0, len(market))
        found = made.run()
        until = each[cut].opened_at
        before = [point for point in found.curve if point.at <= until]
        assert len(before) == cut
        runs.append((before, [fill for fill in made.sandbox.fills if fill.created_at < until]))
    assert runs[0] == runs[1]
    assert runs[0][1], "nothing was traded before"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(CONFIGS), st.sampled_from([0.005, 0.02, 0.06]))
def test_prices_that_reach_no_order_change_nothing(seed: int, config: Config, step: float) -> None:
    run = replace(RUN, bot=replace(RUN.bot, config=config, stop_loss_percentage=Decimal(2)))
    market = Market(walk_of(150, seed, step=step), has_second=True)
    found = [Simulation(run, market, 0, len(market), thorough=thorough).run() for thorough in (False, True)]
    assert found[0] == found[1]


@pytest.mark.parametrize("interval", Interval)
def test_every_interval_is_simulated(interval: Interval) -> None:
    run = replace(RUN, interval=interval)
    market = Market(walk_of(100, interval=interval))
    found = Simulation(run, market, 0, len(market)).run()
    assert found.ends_at == BEGIN + 100 * interval.length
    assert found.metrics.fills


_SCRIPT = """
import msgspec, sys
from tests.domains.trading.backtests.rules.test_simulation import CONFIGS, run_of
sys.stdout.buffer.write(msgspec.json.encode([run_of(each, 200) for each in CONFIGS]))
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_run_gives_the_same_bytes_in_any_process(hash_seed: str) -> None:
    here = msgspec.json.encode([run_of(each, 200) for each in CONFIGS])
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    made = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, check=True, env=environment)
    assert made.stdout == here
