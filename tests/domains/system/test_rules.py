"""What a setting may be: rules, and the CHECK of its table, which agree."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.domains.system.model import (
    AT_FIRST,
    MAX_CALLS,
    MAX_MESSAGE_CHARS,
    MAX_RETRY_AFTER_S,
    MAX_TOKENS,
    MAX_UPLOAD_BYTES,
    MIN_UPLOAD_BYTES,
    Maintenance,
    NewMaintenance,
    NewValue,
    RateLimits,
    SettingKey,
)
from app.domains.system.rules import begun, checked, key_of
from app.kit.errors import InvalidInput
from tests.databases import Owner

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SYMBOLS = tuple(f"T{n}" for n in range(MAX_TOKENS))


@pytest.mark.parametrize(
    "given",
    [
        NewMaintenance(True),
        NewMaintenance(True, "x" * MAX_MESSAGE_CHARS, 1),
        NewMaintenance(False, "Two\nlines", MAX_RETRY_AFTER_S),
        MIN_UPLOAD_BYTES,
        MAX_UPLOAD_BYTES,
        RateLimits(1, 1, 1),
        RateLimits(1, 2, MAX_CALLS),
        ("A",),
        ("A" * 20, "0"),
        SYMBOLS,
    ],
)
def test_what_is_within_the_bounds_is_kept(given: NewValue) -> None:
    assert checked(given) == given


@pytest.mark.parametrize("message", ["", "  ", "\n", None])
def test_an_empty_message_is_none(message: str | None) -> None:
    assert checked(NewMaintenance(True, message)) == NewMaintenance(True)


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        (NewMaintenance(True, "x" * (MAX_MESSAGE_CHARS + 1)), [("maintenance", "message")]),
        (NewMaintenance(True, "a\x00b"), [("maintenance", "message")]),
        (NewMaintenance(True, "\ud800", 0), [("maintenance", "message"), ("maintenance", "retry_after_ms")]),
        (NewMaintenance(False, None, MAX_RETRY_AFTER_S + 1), [("maintenance", "retry_after_ms")]),
        (MIN_UPLOAD_BYTES - 1, [("max_upload_bytes",)]),
        (MAX_UPLOAD_BYTES + 1, [("max_upload_bytes",)]),
        (RateLimits(0, 0, 0), [("default_rate_limits", f"{plan}_calls") for plan in ("free", "pro", "enterprise")]),
        (RateLimits(2, 1, 2), [("default_rate_limits", "pro_calls")]),
        (RateLimits(1, 3, 2), [("default_rate_limits", "enterprise_calls")]),
        (RateLimits(1, 2, MAX_CALLS + 1), [("default_rate_limits", "enterprise_calls")]),
        ((), [("supported_tokens",)]),
        ((*SYMBOLS, "X"), [("supported_tokens",)]),
        (("SOL", "sol", "", "S-L", "A" * 21, "É"), [("supported_tokens", str(n)) for n in range(1, 6)]),
        (("SOL", "USDC", "SOL"), [("supported_tokens", "2")]),
    ],
)
def test_what_is_not_is_refused_and_named(given: NewValue, paths: list[tuple[str, ...]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(given)
    assert [field.path for field in refused.value.fields] == paths


def test_maintenance_begins_once() -> None:
    off = AT_FIRST.maintenance
    on = begun(off, NewMaintenance(True, "a", 5), NOON)
    assert on == Maintenance(True, "a", 5, NOON)
    assert begun(on, NewMaintenance(True, "b", 6), NOON + timedelta(hours=1)) == Maintenance(True, "b", 6, NOON)
    assert begun(on, NewMaintenance(False), NOON) == Maintenance(False, None, 60, None)
    assert begun(off, NewMaintenance(False, "later"), NOON).started_at is None


def test_each_value_has_its_key() -> None:
    given = (NewMaintenance(True), 5000, RateLimits(1, 1, 1), ("A",))
    assert [key_of(each) for each in given] == list(SettingKey)


ON = {"enabled": True, "message": "x", "retry_after_s": 60, "started_at": "2026-11-21T12:00:00.123456Z"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (SettingKey.MAINTENANCE, True),
        (SettingKey.MAINTENANCE, {**ON, "enabled": False}),
        (SettingKey.MAINTENANCE, {**ON, "started_at": None}),
        (SettingKey.MAINTENANCE, {**ON, "started_at": "noon"}),
        (SettingKey.MAINTENANCE, {**ON, "message": "x" * 501}),
        (SettingKey.MAINTENANCE, {**ON, "message": ""}),
        (SettingKey.MAINTENANCE, {**ON, "message": 1}),
        (SettingKey.MAINTENANCE, {**ON, "retry_after_s": 0}),
        (SettingKey.MAINTENANCE, {**ON, "retry_after_s": 1.5}),
        (SettingKey.MAINTENANCE, {**ON, "more": 1}),
        (SettingKey.MAINTENANCE, {"enabled": False}),
        (SettingKey.MAX_UPLOAD_BYTES, 1023),
        (SettingKey.MAX_UPLOAD_BYTES, 1024**3 + 1),
        (SettingKey.MAX_UPLOAD_BYTES, "1024"),
        (SettingKey.MAX_UPLOAD_BYTES, 2048.5),
        (SettingKey.MAX_UPLOAD_BYTES, None),
        (SettingKey.DEFAULT_RATE_LIMITS, {"free": 1, "pro": 2}),
        (SettingKey.DEFAULT_RATE_LIMITS, {"free": 2, "pro": 1, "enterprise": 3}),
        (SettingKey.DEFAULT_RATE_LIMITS, {"free": 1, "pro": 3, "enterprise": 2}),
        (SettingKey.DEFAULT_RATE_LIMITS, {"free": 0, "pro": 3, "enterprise": 4}),
        (SettingKey.DEFAULT_RATE_LIMITS, {"free": 1, "pro": 3, "enterprise": 10**9 + 1}),
        (SettingKey.DEFAULT_RATE_LIMITS, {"free": 1, "pro": 3, "enterprise": 4, "other": 5}),
        (SettingKey.SUPPORTED_TOKENS, []),
        (SettingKey.SUPPORTED_TOKENS, "SOL"),
        (SettingKey.SUPPORTED_TOKENS, {"SOL": 1}),
        (SettingKey.SUPPORTED_TOKENS, ["SOL", "SOL"]),
        (SettingKey.SUPPORTED_TOKENS, ["sol"]),
        (SettingKey.SUPPORTED_TOKENS, [1]),
        (SettingKey.SUPPORTED_TOKENS, [None]),
        (SettingKey.SUPPORTED_TOKENS, [f"T{n}" for n in range(101)]),
    ],
)
async def test_postgres_refuses_what_no_setting_is(owner: Owner, key: SettingKey, value: Any) -> None:
    assert await owner.fetchval("SELECT is_system_setting($1, $2::jsonb)", key, json.dumps(value)) is False
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            f"SET app.system = 'on'; UPDATE system_settings SET value = '{json.dumps(value)}' WHERE key = '{key.value}'"
        )


async def test_there_is_no_other_setting(owner: Owner) -> None:
    assert await owner.fetchval("SELECT is_system_setting('other', '1')") is False
    assert await owner.fetchval("SELECT is_system_setting('maintenance_mode', $1::jsonb)", json.dumps(ON)) is True
