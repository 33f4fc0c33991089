"""Many digests at once are those of each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.crypto.keccak import keccak256, keccak256_each


@given(st.lists(st.binary(max_size=135), max_size=8))
def test_many_at_once_are_as_one_after_the_other(messages: list[bytes]) -> None:
    assert keccak256_each(messages) == [keccak256(each) for each in messages]


def test_a_message_fits_a_block() -> None:
    with pytest.raises(ValueError, match="longer"):
        keccak256_each([bytes(136)])
