import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.ledger.model import MAX_INPUTS
from app.domains.ledger.rules.selection import (
    CHEAP_INPUTS,
    DUST_UNITS,
    TARGET_COINS,
    Candidate,
    InsufficientFunds,
    Selection,
    TooManyInputs,
    select_coins,
)
from app.domains.ledger.rules.transaction import OutPoint


def coin(number: int, amount_units: int, confirmations: int = 1) -> Candidate:
    return Candidate(OutPoint(number.to_bytes(32, "big"), 0), amount_units, confirmations)


def coins(*amounts: int) -> list[Candidate]:
    return [coin(number, amount) for number, amount in enumerate(amounts)]


def amounts(selection: Selection) -> list[int]:
    return sorted(chosen.amount_units for chosen in selection.chosen)


wallets = st.lists(st.integers(1, 10**6), min_size=1, max_size=40).map(lambda values: coins(*values))


@given(
    wallet=wallets,
    amount=st.integers(1, 10**7),
    fee=st.integers(0, 5_000),
    dust=st.integers(0, 2_000),
    max_inputs=st.integers(1, 12),
    shuffler=st.randoms(),
)
def test_every_selection_balances(
    *, wallet: list[Candidate], amount: int, fee: int, dust: int, max_inputs: int, shuffler: random.Random
) -> None:
    total = sum(held.amount_units for held in wallet)
    largest = sum(sorted((held.amount_units for held in wallet), reverse=True)[:max_inputs])

    def select(candidates: list[Candidate]) -> Selection:
        return select_coins(candidates, amount, fee, dust_units=dust, max_inputs=max_inputs)

    if total < amount + fee:
        with pytest.raises(InsufficientFunds) as short:
            select(wallet)
        assert (short.value.available_units, short.value.target_units) == (total, amount + fee)
        return
    if largest < amount + fee:
        with pytest.raises(TooManyInputs) as scattered:
            select(wallet)
        assert (scattered.value.payable_units, scattered.value.target_units) == (largest, amount + fee)
        return
    selection = select(wallet)
    assert sum(amounts(selection)) == amount + selection.change_units + selection.fee_units
    assert set(selection.chosen) <= set(wallet)
    assert len(set(selection.chosen)) == len(selection.chosen) <= max_inputs
    assert selection.change_units == 0 or selection.change_units >= dust
    assert fee <= selection.fee_units < fee + max(dust, 1)
    shuffled = wallet.copy()
    shuffler.shuffle(shuffled)
    assert select(shuffled) == selection


def test_an_exact_match_needs_no_change() -> None:
    selection = select_coins(coins(50_000, 30_000, 20_000, 7_000), 36_000, 1_000)
    assert amounts(selection) == [7_000, 30_000]
    assert (selection.change_units, selection.fee_units) == (0, 1_000)


def test_an_excess_below_dust_goes_to_the_fee() -> None:
    selection = select_coins(coins(40_000, 10_000 + DUST_UNITS - 1), 9_000, 1_000)
    assert amounts(selection) == [10_999]
    assert (selection.change_units, selection.fee_units) == (0, 1_999)


def test_change_at_the_dust_threshold_is_change() -> None:
    selection = select_coins(coins(10_000 + DUST_UNITS), 9_000, 1_000)
    assert (selection.change_units, selection.fee_units) == (DUST_UNITS, 1_000)


def test_the_smaller_excess_wins() -> None:
    assert amounts(select_coins(coins(10_900, 10_100, 10_500), 10_000, 0)) == [10_100]
    assert amounts(select_coins(coins(10_100, 5_500, 5_000), 10_000, 0)) == [10_100]


def test_an_excess_worth_an_output_is_no_match() -> None:
    assert amounts(select_coins(coins(20_000, 9_000, 8_000), 10_000, 0)) == [20_000]


def test_a_calm_wallet_spends_the_smallest_sufficient_coin() -> None:
    selection = select_coins(coins(90_000, 50_000, 20_000, 5_000), 12_000, 1_000)
    assert amounts(selection) == [20_000]
    assert selection.change_units == 7_000


def test_dust_is_taken_along_even_by_a_calm_wallet() -> None:
    selection = select_coins(coins(90_000, 20_000, 5_000, 300, 20), 12_000, 1_000)
    assert amounts(selection) == [20, 300, 20_000]
    assert selection.change_units == 7_320


def test_a_crowded_wallet_merges_its_smallest_coins() -> None:
    selection = select_coins(coins(10**6, *range(3_000, 3_020)), 500_000, 1_000)
    assert amounts(selection) == [*range(3_000, 3_000 + CHEAP_INPUTS - 1), 10**6]


def test_among_equal_coins_the_oldest_goes_first() -> None:
    wallet = [coin(1, 50_000, confirmations=1), coin(2, 50_000, confirmations=9)]
    assert select_coins(wallet, 49_000, 1_000).chosen == (wallet[1],)


def test_an_empty_wallet_has_nothing_available() -> None:
    with pytest.raises(InsufficientFunds) as short:
        select_coins([], 1, 0)
    assert short.value.available_units == 0


def largest_first(wallet: list[Candidate], amount: int, fee: int) -> Selection:
    """What a naive wallet does: the largest coins until they suffice, and whatever remains is change."""
    chosen: list[Candidate] = []
    for held in sorted(wallet, key=lambda held: -held.amount_units):
        chosen.append(held)
        excess = sum(each.amount_units for each in chosen) - amount - fee
        if excess >= 0:
            return Selection(tuple(chosen), excess, fee)
    raise InsufficientFunds(0, amount + fee)


def walk(seed: int, *, naive: bool) -> tuple[int, int]:
    """Most coins of any wallet at the end, and how many dust outputs six wallets made of 1,500 random payments."""
    luck = random.Random(seed)
    wallets = [[coin(owner, 10**9)] for owner in range(6)]
    dust = 0
    for number in range(1_500):
        payer, payee = luck.sample(range(6), 2)
        amount = int(10 ** luck.uniform(3, 8))
        spend = largest_first if naive else select_coins
        try:
            selection = spend(wallets[payer], amount, 10)
        except InsufficientFunds:
            continue
        wallets[payer] = [held for held in wallets[payer] if held not in selection.chosen]
        wallets[payee].append(coin(2 * number + 10, amount))
        if selection.change_units:
            wallets[payer].append(coin(2 * number + 11, selection.change_units))
            dust += selection.change_units < DUST_UNITS
    return max(map(len, wallets)), dust


@pytest.mark.parametrize("seed", range(5))
def test_wallets_stay_small_and_without_dust_where_naive_ones_silt_up(seed: int) -> None:
    coins_held, dust = walk(seed, naive=False)
    naive_coins, _ = walk(seed, naive=True)
    assert dust == 0
    assert coins_held <= 3 * TARGET_COINS
    assert naive_coins > 4 * coins_held


def test_naive_payments_do_make_dust() -> None:
    # Guards the walk itself: with the same threshold a naive wallet fails it.
    assert largest_first(coins(10_000), 9_500, 10).change_units < DUST_UNITS


@pytest.mark.parametrize("spread", [10**6, 10**12])
def test_ten_thousand_coins_stay_within_bounds(spread: int) -> None:
    luck = random.Random(spread)
    wallet = coins(*(luck.randrange(DUST_UNITS, spread) for _ in range(10_000)))
    total = sum(held.amount_units for held in wallet)
    for share in (3, 100, 10_000):
        if share == 3:
            with pytest.raises(TooManyInputs):
                select_coins(wallet, total // share, 1_000)
            continue
        selection = select_coins(wallet, total // share, 1_000)
        assert len(selection.chosen) <= MAX_INPUTS
        assert selection.change_units == 0 or selection.change_units >= DUST_UNITS
