"""What requests share: caches, limits, idempotency keys. Of a tenant and a mode it is theirs alone."""

import ast
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis

from app.domains.tenancy.api_keys.services.calls import windows_of
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.domains.tenancy.tenants.services.access import keyed_request
from app.kit.clock import FixedClock
from app.kit.quotas import QuotaExceeded, Quotas, Window
from tests.domains.tenancy.office import Office

APP: Final = Path(__file__).resolve().parents[3] / "app"
KEEPERS: Final = {"lru_cache", "cache", "OrderedDict", "SharedCache", "SingleFlight", "WeakValueDictionary"}
"""What remembers something beyond a request."""
CACHES: Final = {
    "domains/market/": "Tokens, articles and analyses, which are public.",
    "domains/system/": "The settings of the system, which everybody reads.",
    "domains/tenancy/api_keys/services/calls.py": "What limits a key, by its tenant, mode and ID.",
    "domains/tenancy/api_keys/services/known_keys.py": "Keys that were right, by the hash of their secret.",
    "domains/trading/": "Arithmetic, by its numbers.",
    "engine/declarations/cursors.py": "Ciphers, by the list.",
    "engine/execution/": "Documents, by their text, and what follows from it and the schema; never what they read.",
    "engine/streams/durable.py": "What one group is doing, which is of one audience.",
    "engine/streams/memo.py": "Deliveries of one group, which is of one audience.",
    "engine/streams/volatile.py": "The latest of each key of one group, which is of one audience.",
    "kit/addresses.py": "Addresses, by their text.",
    "kit/crypto/rsa.py": "Public keys, by their encoding.",
    "kit/hub.py": "Events, by their stream: each reader was authorised for that stream.",
    "kit/list_statements.py": "Statements, by what is asked.",
    "kit/ratelimit.py": "Who waits for an attempt, by what is limited.",
    "kit/shared_cache.py": "What its users name.",
    "kit/sql.py": "Files of statements.",
    "transport/sockets/admission.py": "Sockets that begin, by address.",
    "settings.py": "The settings of the process.",
}
"""Where something is remembered beyond a request, and why nothing of a tenant is in it."""


def keepers() -> set[str]:
    found = set()
    for file in APP.rglob("*.py"):
        place = file.relative_to(APP).as_posix()
        for node in ast.walk(ast.parse(file.read_text())) if not place.startswith("dev/") else ():
            if isinstance(node, ast.Name) and node.id in KEEPERS:
                found.add(place)
    return found


def test_every_cache_says_why_nothing_of_a_tenant_is_in_it() -> None:
    reasons = {place: next((each for each in CACHES if place.startswith(each)), None) for place in keepers()}
    assert {place for place, reason in reasons.items() if reason is None} == set()
    assert {*reasons.values()} == {*CACHES}


async def modes(office: Office) -> list[Tenancy]:
    """Two tenants, each in both modes."""
    await office.found()
    await office.found("other")
    acting = [await office.acting(), await office.acting(slug="other")]
    return [*acting, *(msgspec.structs.replace(each, livemode=False) for each in acting)]


def windows_for(tenancy: Tenancy, key: int) -> tuple[Window, ...]:
    return windows_of(tenancy.tenant_id, tenancy.livemode, UUID(int=key), (9, 9, 9), 2)


async def test_limits_are_those_of_a_tenant_and_a_mode(office: Office, redis: Redis, clock: FixedClock) -> None:
    quotas = Quotas(redis, clock)
    acting = await modes(office)
    windows = [windows_for(each, number) for number, each in enumerate(acting)]
    subjects = {(window.name, window.subject) for each in windows for window in each}
    assert len(subjects) == sum(map(len, windows))
    for _ in range(2):
        await quotas.take(windows[0])
    with pytest.raises(QuotaExceeded):
        await quotas.take(windows[0])
    # Another key of the tenant in this mode, too.
    with pytest.raises(QuotaExceeded):
        await quotas.take(windows_for(acting[0], 9))
    for each in windows[1:]:
        await quotas.take(each)


async def test_the_same_idempotency_key_is_another_in_each_tenant_and_mode(office: Office) -> None:
    acting = await modes(office)
    assert len({keyed_request(each, "same", "create", None).owner for each in acting}) == 4
