"""Profile and settings, as clients see them."""

import json

from app.domains.accounts.model import ProfileChanges
from app.kit.json_values import MAX_INTEGER
from tests.factories import register
from tests.schema.accounts.conftest import Graph


async def test_two_writes_in_one_document_each_show_their_own_outcome(graph: Graph) -> None:
    viewer = await register(graph.house)
    query = """mutation { a: updateProfile(input: {displayName: "A", tradingMode: PAPER}) { ...P }
        b: updateProfile(input: {displayName: "B"}) { ...P }
        put: putSetting(input: {name: "n", value: [1, {a: "b"}]}) { ... on PutSettingPayload { setting { value } } }
        gone: putSetting(input: {name: "n", value: null}) { ... on PutSettingPayload { setting { value } } } }
        fragment P on UpdateProfilePayload { profile { displayName tradingMode } }"""
    assert await graph.data(query, by=viewer) == {
        "a": {"profile": {"displayName": "A", "tradingMode": "PAPER"}},
        "b": {"profile": {"displayName": "B", "tradingMode": "PAPER"}},
        "put": {"setting": {"value": [1, {"a": "b"}]}},
        "gone": {"setting": None},
    }


async def test_profile_and_settings_are_the_viewers_own(graph: Graph) -> None:
    alice, bob = await register(graph.house), await register(graph.house, "bob@example.com")
    await graph.house.accounts.profiles.update(alice, ProfileChanges(username="alice"))
    await graph.house.accounts.profiles.put_setting(alice, "theme", {"dark": True})
    query = """{ viewer { profile { username planTier tradingMode paperBalance }
        settings { name value } theme: setting(name: "theme") { value }
        none: setting(name: "no name!") { value } } }"""
    assert (await graph.data(query, by=alice))["viewer"] == {
        "profile": {
            "username": "alice",
            "planTier": "FREE",
            "tradingMode": "PAPER",
            "paperBalance": "0.00000000",
        },
        "settings": [{"name": "theme", "value": {"dark": True}}],
        "theme": {"value": {"dark": True}},
        "none": None,
    }
    other = (await graph.data(query, by=bob))["viewer"]
    assert (other["profile"]["username"], other["settings"], other["theme"]) == (None, [], None)


async def test_the_numbers_of_a_setting_are_read_as_they_were_given(graph: Graph) -> None:
    viewer = await register(graph.house)
    given = {
        "numbers": [1e308, -1e22, 2.0**53, 5e-324, 1.0, 0.0, 0, 1, -MAX_INTEGER, MAX_INTEGER, 1.5e-7, True],
        "deeper": {"x": [[1e100]]},
    }
    put = """mutation($value: JSON) { putSetting(input: {name: "n", value: $value}) {
        ... on PutSettingPayload { setting { value } } } }"""
    written = await graph.data(put, {"value": given}, by=viewer)
    read = await graph.data('{ viewer { setting(name: "n") { value } settings { value } } }', by=viewer)
    shown = [written["putSetting"]["setting"], read["viewer"]["setting"], *read["viewer"]["settings"]]
    # Compared as text: 1 is not 1.0.
    assert [json.dumps(each["value"], sort_keys=True) for each in shown] == [json.dumps(given, sort_keys=True)] * 3
