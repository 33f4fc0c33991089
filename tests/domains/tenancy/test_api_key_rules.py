"""What a key looks like, what it may do, and from where."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.domains.tenancy.api_keys.model import NewApiKey
from app.domains.tenancy.api_keys.rules import (
    KeyText,
    check_overlap,
    checked,
    is_allowed_from,
    key_hash,
    key_text,
    next_month,
)
from app.domains.tenancy.tenants.model.tenants import ActingKey, Plan
from app.kit.errors import InvalidInput

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ID, SECRET = "mk_live_0123456789abcdef", "ab" * 32
GOOD = NewApiKey(name="CI", scopes=["projects:read"])


def test_a_key_is_an_id_and_a_secret() -> None:
    assert key_text(f"{ID}_{SECRET}") == KeyText(ID, SECRET)
    assert key_text(f"{ID.replace('live', 'test')}_{SECRET}") == KeyText(ID.replace("live", "test"), SECRET)


@pytest.mark.parametrize(
    "token",
    ["", "mk_", ID, f"{ID}_", f"{ID}_{SECRET}0", f"{ID}_{SECRET[1:]}", f"{ID}_{SECRET.upper()}", f" {ID}_{SECRET}",
     f"{ID}_{SECRET}\n", f"mk_prod_0123456789abcdef_{SECRET}", f"{ID[:-1]}_{SECRET}", f"{ID}_" + "\u0661" * 64],
)  # fmt: skip
def test_what_is_no_key(token: str) -> None:
    assert key_text(token) is None


def test_a_hash_is_of_this_key_and_of_this_server() -> None:
    hashed = key_hash(KeyText(ID, SECRET), b"p" * 32)
    assert len(hashed) == 64
    assert SECRET not in hashed
    assert hashed == key_hash(KeyText(ID, SECRET), b"p" * 32)
    assert hashed != key_hash(KeyText(ID, SECRET), b"q" * 32)
    assert hashed != key_hash(KeyText(ID.replace("0", "1"), SECRET), b"p" * 32)


@pytest.mark.parametrize(
    ("scopes", "needed", "held"),
    [
        ({"projects:read"}, "projects:read", True),
        ({"projects:write"}, "projects:read", False),
        ({"projects:read"}, "projects:write", False),
        ({"*:read"}, "claims:read", True),
        ({"*:read"}, "claims:write", False),
        ({"*:write"}, "claims:write", True),
        ({"*:write"}, "claims:read", False),
        (set(), "claims:read", False),
        ({"*:read", "*:write"}, "never", False),
    ],
)
def test_scopes(scopes: set[str], needed: str, held: bool) -> None:
    key = ActingKey(
        id=UUID(int=1), secret_id=UUID(int=2), scopes=frozenset(scopes), expires_at=None, plan=Plan.FREE,
        per_minute=1, per_hour=1, per_day=1, per_month=1,
    )  # fmt: skip
    assert key.holds(needed) is held


@pytest.mark.parametrize(
    ("cidrs", "ip", "allowed"),
    [
        ([], None, True),
        ([], "192.0.2.1", True),
        (["192.0.2.0/24"], "192.0.2.255", True),
        (["192.0.2.0/24"], "192.0.3.0", False),
        (["192.0.2.0/24"], "::ffff:192.0.2.7", True),
        (["192.0.2.0/24"], None, False),
        (["192.0.2.0/24"], "unix", False),
        (["192.0.2.0/24"], "2001:db8::1", False),
        (["2001:db8::/32"], "2001:db8:1::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["203.0.113.9/32", "2001:db8::/32"], "203.0.113.9", True),
        (["0.0.0.0/0"], "2001:db8::1", False),
    ],
)
def test_addresses(cidrs: list[str], ip: str | None, allowed: bool) -> None:
    assert is_allowed_from([ip_network(each) for each in cidrs], ip) is allowed


def test_what_is_stored_of_a_new_key() -> None:
    made = checked(
        NewApiKey(
            name=" CI ", scopes=["*:read", "claims:write", "*:read"], allowed_cidrs=["192.0.2.1", "192.0.2.1/32"]
        ),
        NOW,
    )
    assert (made.name, made.scopes, made.allowed_cidrs) == ("CI", ["*:read", "claims:write"], ["192.0.2.1/32"])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["projects:read", "projects"]}, "scopes"),
        ({"scopes": ["projects:delete"]}, "scopes"),
        ({"scopes": ["viewer:read"]}, "scopes"),
        ({"scopes": ["api_keys:write"]}, "scopes"),
        ({"allowed_cidrs": ["192.0.2.1/24"]}, "allowed_cidrs"),
        ({"allowed_cidrs": ["example.com"]}, "allowed_cidrs"),
        ({"allowed_cidrs": ["fe80::1%eth0"]}, "allowed_cidrs"),
        ({"allowed_cidrs": [f"192.0.2.{number}" for number in range(51)]}, "allowed_cidrs"),
        ({"expires_at": NOW}, "expires_at"),
    ],
)
def test_what_is_refused_of_a_new_key(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(msgspec.structs.replace(GOOD, **given), NOW)
    assert [each.path for each in refused.value.fields] == [(field,)]


def test_an_overlap_is_of_at_most_a_week() -> None:
    check_overlap(timedelta(0))
    check_overlap(timedelta(days=7))
    for wrong in (timedelta(milliseconds=-1), timedelta(days=7, milliseconds=1)):
        with pytest.raises(InvalidInput):
            check_overlap(wrong)


def test_the_next_month() -> None:
    assert next_month(NOW) == datetime(2026, 12, 1, tzinfo=UTC)
    assert next_month(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert next_month(datetime(2027, 1, 31, tzinfo=UTC)) == datetime(2027, 2, 1, tzinfo=UTC)
