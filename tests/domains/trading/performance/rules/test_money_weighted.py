"""The money-weighted return against the roots of polynomials by numpy, and by hand."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domains.trading.performance.model import Flow, ValuePoint
from app.domains.trading.performance.rules.money_weighted import LARGEST_RATE, money_weighted_return
from tests.domains.trading.performance.rules.histories import amounts, flow, point


def rate(opening: float, closing: float, *flows: Flow, days: float = 4) -> float | None:
    return money_weighted_return([point(0, opening), point(days, closing)], flows)


def test_by_hand() -> None:
    assert rate(100, 110) == pytest.approx(0.1)
    assert rate(100, 50) == pytest.approx(-0.5)
    # 100 for the whole time and 100 for its second half: 100 x^2 + 100 x = 231, where x is the growth of a half.
    assert rate(100, 231, flow(2, 100)) == pytest.approx(((math.sqrt(1 + 4 * 2.31) - 1) / 2) ** 2 - 1)
    # The opening deposit; the loss came after half was taken: 100 x^2 - 50 x = 25.
    assert rate(0, 25, flow(0, 100), flow(2, -50)) == pytest.approx(((0.5 + math.sqrt(0.25 + 1)) / 2) ** 2 - 1)


def test_money_that_came_before_the_fall_weighs() -> None:
    """The time-weighted return of both is 0: doubled, then halved."""
    early = money_weighted_return([point(0, 100), point(1, 200), point(2, 100)], [])
    late = money_weighted_return([point(0, 100), point(1, 200), point(2, 600)], [flow(1, 1000)])
    assert early == 0.0
    assert late is not None
    assert late < -0.5


@pytest.mark.parametrize(
    ("values", "flows"),
    [
        ([], []),
        ([point(0, 100)], []),
        ([point(0, 0), point(4, 0)], []),
        ([point(0, 0), point(4, 100)], []),  # a gain from nothing
        ([point(0, 0), point(4, 0)], [flow(1, -100)]),
        ([point(0, "1E-8"), point(4, 10**8)], []),
        # A gain of a quarter in the last thousandth of the time is one of 10^96.
        ([point(0, 0), point(4, 125)], [flow(3.996, 100)]),
    ],
)
def test_no_solution_is_null(values: list[ValuePoint], flows: list[Flow]) -> None:
    assert money_weighted_return(values, flows) is None


def test_the_largest_rate_is_found_and_the_least() -> None:
    assert rate(float(Decimal("1E-4")), LARGEST_RATE * 1e-4 / 2) == pytest.approx(LARGEST_RATE / 2)
    assert rate(10**12, 0.0001) == pytest.approx(-1.0)
    assert rate(100, 0) == -1.0
    assert rate(100, 0, flow(1, 50), flow(2, 10)) == -1.0
    assert rate(0, 50, flow(3.999999, 100)) == -1.0  # so fast that 1 + the rate is no float over 0
    assert rate(100, 0, flow(2, -100)) == 0.0


def test_of_several_solutions_it_is_the_nearest_with_the_sign_of_the_gain() -> None:
    # 100 x^3 - 470 x^2 + 720 x - 360 = 100 (x - 1.2)(x - 1.5)(x - 2), a gain of 10.
    assert rate(100, 360, flow(1, -470), flow(2, 720), days=3) == pytest.approx(1.2**3 - 1)
    # 100 x^3 - 230 x^2 + 170 x - 40 = 100 (x - 0.5)(x - 0.8)(x - 1), no gain.
    assert rate(100, 40, flow(1, -230), flow(2, 170), days=3) == 0.0
    # 100 x^3 - 130 x^2 + 40 x = 100 x (x - 0.5)(x - 0.8), a loss of 10.
    assert rate(100, 0, flow(1, -130), flow(2, 40), days=3) == pytest.approx(0.8**3 - 1)
    # 100 x^3 - 350 x^2 + 300 x = 100 x (x - 1.5)(x - 2), a loss of 50 that no negative rate explains.
    assert rate(100, 0, flow(1, -350), flow(2, 300), days=3) is None
    # 100 x^3 - 100 x^2 + 50 x has no root but 0.
    assert rate(100, 0, flow(1, -100), flow(2, 50), days=3) is None


# Payments at each quarter of the time make a polynomial of the growth of a quarter.
quarters = st.lists(amounts(-900, 2000), min_size=3, max_size=3)


@given(amounts(100, 5000), quarters, amounts(0, 9000))
def test_the_rate_is_a_root_by_numpy(opening: Decimal, paid: list[Decimal], closing: Decimal) -> None:
    found = rate(float(opening), float(closing), *(flow(i + 1, amount) for i, amount in enumerate(paid)))
    gain = closing - opening - sum(paid)
    exact = [Fraction(each) for each in (opening, *paid, -closing)]
    if found is None:
        # A pair of roots may be passed over, but where the ends differ in sign there is one that is not.
        assert gain < 0
        assert closing == 0
        return
    assert np.sign(found) == np.sign(float(gain))
    if found > -1 + 1e-12:
        growth, around = (1 + found) ** 0.25, 1e-9 + 1e-15 / (1 + found)
        below, above = (polynomial(exact, Fraction(growth * (1 + each))) for each in (-around, around))
        assert below <= 0 <= above or above <= 0 <= below or not gain
    if np.count_nonzero(np.diff(np.sign([float(each) for each in exact if each]))) == 1:
        roots = np.roots([float(each) for each in exact])
        positive = [float(root.real) for root in roots if abs(root.imag) < 1e-9 and root.real > 0]
        # The rate of a total loss has lost the digits of the growth.
        assert positive == [pytest.approx((1 + found) ** 0.25, rel=1e-7, abs=1e-4 if found < -0.999 else 0)]
    elif found == -1.0:
        # Nothing grows, or by a root that is too small to tell a float from a total loss.
        least, most = (polynomial(exact, each) for each in (Fraction(1, 10**30), Fraction(11, 10**5)))
        assert closing or min(paid) >= 0 or least <= 0 <= most or most <= 0 <= least


def polynomial(coefficients: list[Fraction], x: Fraction) -> Fraction:
    value = Fraction(0)
    for each in coefficients:
        value = value * x + each
    return value


@given(amounts(1, 5000), st.lists(st.tuples(st.integers(0, 99), amounts(0, 5000)), max_size=5), amounts(1, 50_000))
def test_the_rate_explains_the_closing_value(
    opening: Decimal, deposits: list[tuple[int, Decimal]], closing: Decimal
) -> None:
    flows = [flow(at, amount) for at, amount in deposits]
    found = rate(float(opening), float(closing), *flows, days=100)
    assume(found is not None)
    assert found is not None
    if found > -1 + 1e-9:
        grown = float(opening) * (1 + found) + sum(
            float(amount) * (1 + found) ** float(Fraction(100 - at, 100)) for at, amount in deposits
        )
        assert grown == pytest.approx(float(closing), rel=1e-6)


@given(amounts(1, 5000), amounts(1, 50_000))
def test_without_flows_it_is_the_change_of_the_value(opening: Decimal, closing: Decimal) -> None:
    assert rate(float(opening), float(closing)) == pytest.approx(float(closing / opening) - 1, rel=1e-9, abs=1e-12)
