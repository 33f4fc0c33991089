"""A token that is halted for itself and with all others is traded when both halts have ended."""

import pytest

from app.domains.trading.matching.model import Halt, Resume
from app.domains.trading.matching.rules.venue import Venue


@pytest.mark.parametrize("order", [("BTC", None), (None, "BTC")])
@pytest.mark.parametrize("ends", [("BTC", None), (None, "BTC")])
def test_both_halts_have_to_end(order: tuple[str | None, ...], ends: tuple[str | None, ...]) -> None:
    venue = Venue(name="internal")
    assert not venue.book("BTC").state.is_halted
    for symbol in order:
        venue.apply(Halt(symbol), 0)
    venue.apply(Resume(ends[0]), 0)
    assert venue.book("BTC").state.is_halted
    venue.apply(Resume(ends[1]), 0)
    assert not venue.book("BTC").state.is_halted


def test_a_halt_of_one_token_leaves_the_others() -> None:
    venue = Venue(name="internal")
    venue.book("ETH")
    venue.apply(Halt("BTC"), 0)
    assert not venue.book("ETH").state.is_halted
    venue.apply(Halt(None), 0)
    assert venue.book("ETH").state.is_halted
    assert venue.book("NEW").state.is_halted
