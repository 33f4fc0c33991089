import asyncio
from typing import Any

import pytest

from app.domains.accounts.model import ProfileChanges, UsernameTaken
from app.kit.errors import InvalidInput
from tests.domains.accounts.conftest import House
from tests.factories import register


async def test_a_profile_begins_with_play_money(house: House) -> None:
    await register(house)
    row = await house.owner.fetchrow(
        "SELECT subscription_tier, trading_mode, paper_balance::text, live_balance::text FROM profiles"
    )
    assert row is not None
    assert tuple(row) == ("free", "paper", "10000.00000000", "0.00000000")


async def test_what_is_left_out_stays_and_null_clears(house: House) -> None:
    viewer = await register(house)
    update = house.accounts.profiles.update
    await update(
        viewer, ProfileChanges(username="Alice_1", avatar_url="https://example.com/a.png", trading_mode="paper")
    )
    await update(viewer, ProfileChanges(display_name="Ally"))
    await update(viewer, ProfileChanges(avatar_url=None))
    row = await house.owner.fetchrow(
        "SELECT username, avatar_url, trading_mode, display_name FROM profiles JOIN display_names USING (user_id)"
    )
    assert row is not None
    assert tuple(row) == ("Alice_1", None, "paper", "Ally")
    await update(viewer, ProfileChanges(display_name=None))
    name = await house.owner.fetchval("SELECT display_name FROM display_names")
    assert name == f"user-{str(viewer.user_id)[:8]}"


async def test_nobody_trades_with_real_money_without_an_exchange(house: House) -> None:
    viewer = await register(house)
    with pytest.raises(InvalidInput, match="Connect an account at an exchange first") as refused:
        await house.accounts.profiles.update(viewer, ProfileChanges(trading_mode="live", username="Alice_1"))
    assert [each.path for each in refused.value.fields] == [("trading_mode",)]
    assert await house.owner.fetchval("SELECT trading_mode FROM profiles WHERE username IS NULL") == "paper"
    house.with_exchange.add(viewer.user_id)
    await house.accounts.profiles.update(viewer, ProfileChanges(trading_mode="live"))
    assert await house.owner.fetchval("SELECT trading_mode FROM profiles") == "live"


@pytest.mark.parametrize("nothing", ["", None])
async def test_an_empty_text_clears_as_null_does(house: House, nothing: str | None) -> None:
    viewer = await register(house)
    update = house.accounts.profiles.update
    await update(viewer, ProfileChanges(username="Alice_1", avatar_url="https://example.com/a.png", display_name="Al"))
    await update(viewer, ProfileChanges(username=nothing, avatar_url=nothing, display_name=nothing))
    row = await house.owner.fetchrow(
        "SELECT username, avatar_url, display_name FROM profiles JOIN display_names USING (user_id)"
    )
    assert row is not None
    assert tuple(row) == (None, None, f"user-{str(viewer.user_id)[:8]}")


async def test_a_username_is_unique_in_any_spelling(house: House) -> None:
    alice, bob = await register(house, "alice@example.com"), await register(house, "bob@example.com")
    await house.accounts.profiles.update(alice, ProfileChanges(username="Satoshi"))
    with pytest.raises(UsernameTaken):
        await house.accounts.profiles.update(bob, ProfileChanges(username="sATOSHI"))
    await house.accounts.profiles.update(alice, ProfileChanges(username="SATOSHI"))


@pytest.mark.usefixtures("warm")
async def test_of_those_who_want_a_username_at_once_one_gets_it(house: House) -> None:
    viewers = [await register(house, f"u{n}@example.com") for n in range(10)]
    outcomes = await asyncio.gather(
        *(house.accounts.profiles.update(viewer, ProfileChanges(username="satoshi")) for viewer in viewers),
        return_exceptions=True,
    )
    assert outcomes.count(None) == 1
    assert {type(outcome) for outcome in outcomes if outcome is not None} == {UsernameTaken}


@pytest.mark.parametrize(
    "changes",
    [
        ProfileChanges(username="ab"),
        ProfileChanges(username=" "),
        ProfileChanges(avatar_url=" "),
        ProfileChanges(display_name=" "),
        ProfileChanges(username="with space"),
        ProfileChanges(username="äöü"),
        ProfileChanges(avatar_url="http://example.com/a.png"),
        ProfileChanges(avatar_url="javascript:alert(1)"),
        ProfileChanges(avatar_url="https://example.com/ a"),
        ProfileChanges(display_name="D" * 81),
    ],
)
async def test_a_profile_is_not_changed(house: House, changes: ProfileChanges) -> None:
    viewer = await register(house)
    with pytest.raises(InvalidInput):
        await house.accounts.profiles.update(viewer, changes)
    assert await house.owner.fetchval("SELECT num_nulls(username, avatar_url) FROM profiles") == 2


async def test_a_setting_is_written_over_and_removed(house: House) -> None:
    viewer = await register(house)
    for value in ({"theme": "dark", "n": [1, None]}, "light"):
        await house.accounts.profiles.put_setting(viewer, "ui.theme", value)
    assert await house.owner.fetchval("SELECT setting_value #>> '{}' FROM user_settings") == "light"
    await house.accounts.profiles.put_setting(viewer, "ui.theme", None)
    assert await house.owner.fetchval("SELECT count(*) FROM user_settings") == 0


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", 1),
        ("1st", 1),
        ("n" * 65, 1),
        ("na\x00me", 1),
        ("big", "x" * 8191),
        ("deep", _nested(16)),
        ("far-too-deep", _nested(100_000)),
        ("nul", "a\x00b"),
        ("nul-key", {"a\x00": 1}),
        ("half", "\ud800"),
        ("infinite", float("inf")),
        ("huge", 2**53),
        ("negative-zero", {"x": [-0.0]}),
    ],
    ids=lambda value: str(value)[:12] if isinstance(value, str) else "",
)
async def test_a_setting_is_refused(house: House, name: str, value: Any) -> None:
    viewer = await register(house)
    with pytest.raises(InvalidInput):
        await house.accounts.profiles.put_setting(viewer, name, value)
    assert await house.owner.fetchval("SELECT count(*) FROM user_settings") == 0


@pytest.mark.usefixtures("warm")
async def test_a_user_has_at_most_200_settings(house: House) -> None:
    viewer = await register(house)
    await house.owner.execute(
        "INSERT INTO user_settings (user_id, setting_name) SELECT $1, 's' || n FROM generate_series(1, 199) n",
        viewer.user_id,
    )
    outcomes = await asyncio.gather(
        *(house.accounts.profiles.put_setting(viewer, name, 1) for name in ("x", "y", "z", "s1")),
        return_exceptions=True,
    )
    assert outcomes[3] is None, "a setting that exists can always be written"
    assert outcomes.count(None) == 2
    assert await house.owner.fetchval("SELECT count(*) FROM user_settings") == 200
