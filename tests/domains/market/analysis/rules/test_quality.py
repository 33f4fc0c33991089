"""Quality: bounded, and never worse for better inputs."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.analysis.rules.quality import Source, freshness, quality

AGES = st.none() | st.floats(0, 1e7)


@st.composite
def sources(draw: st.DrawFn) -> Source:
    fresh = draw(st.floats(0, 1e5))
    return Source(
        name="input",
        weight=draw(st.floats(0.01, 100)),
        completeness=draw(st.floats(0, 1)),
        age_s=draw(AGES),
        fresh_s=fresh,
        stale_s=fresh + draw(st.floats(0.001, 1e5)),
    )


@given(st.lists(sources(), max_size=6))
def test_it_is_between_0_and_100(given_sources: list[Source]) -> None:
    assert 0 <= quality(given_sources) <= 100


@given(st.lists(sources(), min_size=1, max_size=6), st.data())
def test_a_more_complete_or_fresher_input_never_makes_it_worse(
    given_sources: list[Source], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(given_sources) - 1))
    before = given_sources[at]
    better = msgspec.structs.replace(
        before,
        completeness=data.draw(st.floats(before.completeness, 1)),
        age_s=data.draw(AGES if before.age_s is None else st.floats(0, before.age_s)),
    )
    assert quality([*given_sources[:at], better, *given_sources[at + 1 :]]) >= quality(given_sources)


@given(st.lists(sources(), min_size=1, max_size=6))
def test_it_is_100_exactly_if_nothing_is_missing_and_nothing_late(given_sources: list[Source]) -> None:
    best = [msgspec.structs.replace(source, completeness=1.0, age_s=source.fresh_s) for source in given_sources]
    assert quality(best) == 100
    absent = msgspec.structs.replace(best[0], age_s=None)
    assert quality([absent, *best[1:]]) < 100


@given(sources())
def test_an_input_that_is_absent_counts_against_it(source: Source) -> None:
    perfect = msgspec.structs.replace(source, completeness=1.0, age_s=0.0)
    absent = msgspec.structs.replace(source, completeness=0.0, age_s=None)
    assert quality([perfect, absent]) == 50
    assert quality([absent]) == 0


@pytest.mark.parametrize(
    ("age_s", "expected"), [(None, 0), (0, 1), (60, 1), (330, 0.5), (600, 0), (1e9, 0), (math.nan, 0), (-5, 1)]
)
def test_freshness_falls_evenly(age_s: float | None, expected: float) -> None:
    assert freshness(age_s, 60, 600) == pytest.approx(expected)


def test_what_is_no_share_is_bounded() -> None:
    assert quality([Source("x", 1, 7.0, 0, 1, 2)]) == 100
    assert quality([Source("x", 1, -7.0, 0, 1, 2)]) == 0
    assert quality([Source("x", 1, math.nan, 0, 1, 2)]) == 0


def test_without_inputs_nothing_is_good() -> None:
    assert quality([]) == 0


def test_weights_count() -> None:
    assert quality([Source("a", 3, 1.0, 0, 1, 2), Source("b", 1, 0.5, 0, 1, 2)]) == 87
