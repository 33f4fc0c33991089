"""The requests whose plans are looked at: each order and filter of each list, with frequent and with rare values."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations, product
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from app.domains.system.model import SettingKey
from app.kit.lists import Page, PageRequest, Position, page_request
from app.kit.scope import Scope
from tests.databases import Owner
from tests.plans import filling
from tests.plans.explained import literal

ADMIN: Final = Scope(user_id=UUID(filling.user(50_000)))
TWENTIETH: Final = filling.ROWS // 20
BUSY: Final = Scope(user_id=UUID(filling.user(filling.BUSY)))
MEMBER: Final = Scope(user_id=UUID(filling.user(filling.BUSY)), tenant_id=UUID(filling.user(1)))
ADMINS: Final = {
    "accounts.users",
    "accounts.access_codes",
    "trading.analytics.analytics_counts",
    "system.setting_changes",
    "tenancy.tenants.tenants",
}
MEMBERS: Final = {
    "tenancy.tenants.memberships_by_tenant",
    "tenancy.tenants.invitations_by_tenant",
    "tenancy.api_keys.api_keys_by_tenant",
    "campaigns.projects.projects_by_tenant",
    "campaigns.participants.participants_by_tenant",
    "campaigns.participations.participations_by_project",
    "campaigns.participations.participations_by_participant",
    "campaigns.participations.entries_by_participation",
    "campaigns.tasks.tasks_by_project",
    "campaigns.tasks.completions_by_participation",
    "campaigns.tasks.completions_by_project",
}


def scope_of(name: str) -> Scope:
    """On whose behalf a list is read."""
    return ADMIN if name in ADMINS else MEMBER if name in MEMBERS else BUSY


def wallet(number: int) -> str:
    """The id of a wallet."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def span(step: timedelta) -> dict[str, tuple[Any, ...]]:
    """Moments after the first rows, before the last rows, and beyond all of them, of a table with a row each `step`."""
    step *= filling.SPREAD
    end = datetime.now(UTC)
    start = end - step * filling.ROWS
    return {
        "since": (start + step * TWENTIETH, end - step * 50 - timedelta(minutes=10), end + timedelta(days=400)),
        "until": (end - step * TWENTIETH, start + step * 50, start - timedelta(days=400)),
    }


AMOUNTS: Final = {
    "min_amount": (Decimal(1), Decimal(21_600), Decimal(10**9)),
    "max_amount": (Decimal(20_000), Decimal("1.01"), Decimal("0.001")),
}
NEWS: Final[dict[str, tuple[Any, ...]]] = {
    "sources": (["Busy", "Paper 1"], ["Rare"], ["Nobody"]),
    "sentiment": ("positive", "negative"),
    "min_impact": (5, 90, 99),
    "symbols": (["T1", "T7"], ["RARE"], ["NONE"]),
    "search": ("bitcoin", "unicorn", "nowhere"),
    **span(timedelta(seconds=30)),
}

TRADED: Final[dict[str, tuple[Any, ...]]] = {
    "symbol": ("T1", "T999", "NONE"),
    "side": ("buy", "sell"),
    **span(timedelta(seconds=7)),
}
_KEYS: Final = tuple(UUID(filling.user(number)) for number in (1, 100, 49_999))
KINDS: Final[dict[str, tuple[Any, ...]]] = {
    "symbol": ("T1", "T999", "NONE"),
    "side": ("buy", "sell"),
    "type": ("limit", "stop_limit", "market"),
}

VALUES: Final[Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "accounts.auth_log_by_user": {
        "type": ("session_refreshed", "role_changed", "register"),
        "success": (True, False),
        **span(timedelta(seconds=5)),
    },
    "accounts.access_codes": {"redeemed": (True, False)},
    "accounts.users": {
        "email_prefix": ("user", "rare", "nobody"),
        "role": ("user", "admin"),
        "verified": (True, False),
        **span(timedelta(minutes=1)),
    },
    "ledger.utxos_by_wallet": {"coinbase": (False, True), "confirmed": (True, False), **AMOUNTS},
    "ledger.blocks": {
        "min_height": (TWENTIETH, filling.ROWS - 50, filling.ROWS * 2),
        "max_height": (filling.ROWS - TWENTIETH, 50, -1),
        "miner_wallet_id": (wallet(1), wallet(2), wallet(49_999)),
        **span(timedelta(seconds=10)),
    },
    "ledger.transactions": {
        "status": ("confirmed", "pending", "failed"),
        **AMOUNTS,
        **span(timedelta(seconds=10)),
    },
    "ledger.transactions_by_wallet": {
        "status": ("confirmed", "pending", "failed"),
        "direction": ("sent", "received"),
        "counterparty_wallet_id": (wallet(1), wallet(100), wallet(49_999)),
        **AMOUNTS,
        **span(timedelta(seconds=10)),
    },
    "ledger.mempool": {
        "sender_wallet_id": (wallet(1), wallet(100), wallet(49_999)),
        "recipient_wallet_id": (wallet(1), wallet(100), wallet(49_999)),
        "min_amount": AMOUNTS["min_amount"],
        "max_amount": AMOUNTS["max_amount"],
        "min_fee": (Decimal("0.001"), Decimal("0.0099"), Decimal(1)),
        "max_fee": (Decimal("0.001"), Decimal("0.0099"), Decimal(0)),
    },
    "ledger.beneficiaries_by_user": {
        "search": ("friend", "friend 77", "nobody"),
        "wallet_id": (wallet(1), wallet(49_999)),
    },
    "notifications.notifications_by_user": {
        "type": ("alert", "system"),
        "read": (True, False),
        **span(timedelta(seconds=12)),
    },
    "market.alerts.alerts_by_user": {
        "symbol": ("T1", "T999"),
        "type": ("price_above", "whale_tx", "news_impact"),
        "armed": (True, False),
        "triggered": (False, True),
    },
    "market.news.news": NEWS,
    "market.news.news_mentioning": {name: NEWS[name] for name in ("symbols", "since", "until")},
    "market.prices.candles_by_token": span(timedelta(seconds=7)),
    "market.prices.prices_by_token": span(timedelta(seconds=7)),
    "market.watchlist.watchlist_by_user": {"search": ("x",), "symbol": ("T1", "T999")},
    "trading.analytics.analytics_events_by_user": {
        "type": ("page.opened", "order.placed", "portfolio.reset"),
        **span(timedelta(seconds=7)),
    },
    "trading.analytics.analytics_counts": {
        "type": ("type.1", "rare", "never"),
        **span(timedelta(days=1) / 2000 / filling.SPREAD),
    },
    "tenancy.tenants.tenants": {
        "plan": ("free", "pro", "enterprise"),
        "status": ("active", "suspended", "cancelled"),
    },
    "tenancy.tenants.memberships_by_user": {"role": ("viewer", "owner", "admin")},
    "tenancy.tenants.memberships_by_tenant": {"role": ("viewer", "owner", "admin")},
    "campaigns.projects.projects_by_tenant": {
        "status": ("active", "paused", "archived"),
        "network": ("solana", "ethereum", "internal"),
    },
    "campaigns.participants.participants_by_tenant": {
        "verified": (False, True),
        "active": (True, False),
        "username_prefix": ("user", "rare", "nobody"),
    },
    "campaigns.participations.participations_by_project": {
        "status": ("active", "banned", "left"),
        "verification": ("pending", "verified", "rejected"),
    },
    "campaigns.participations.participations_by_participant": {"project_id": _KEYS},
    "campaigns.tasks.tasks_by_project": {"active": (True, False), "proof_kind": ("api", "manual", "quiz", "payment")},
    "campaigns.tasks.completions_by_participation": {"task_id": _KEYS},
    "campaigns.tasks.completions_by_project": {"status": ("accepted", "pending", "rejected"), "task_id": _KEYS},
    "system.setting_changes": {
        "key": (SettingKey.MAX_UPLOAD_BYTES, SettingKey.SUPPORTED_TOKENS, SettingKey.MAINTENANCE)
    },
    "trading.backtests.backtests_by_user": {
        "status": ("completed", "failed", "running"),
        "symbol": ("T1", "T999", "NONE"),
    },
    "trading.backtests.sweeps_by_user": {"status": ("completed", "failed", "running"), "symbol": ("T1", "NONE")},
    "trading.venues.accounts_by_user": {"status": ("connected", "disconnected", "disconnecting")},
    "trading.venues.reconciliations_by_account": {"status": ("equal", "different", "failed")},
    "trading.bots.bots_by_user": {"status": ("paused", "active", "error"), "strategy": ("dca", "grid", "scalping")},
    "trading.bots.signals_by_bot": {
        "symbol": ("T1", "T999", "NONE"),
        "type": ("BUY", "SELL", "HOLD"),
        "status": ("EXECUTED", "FAILED", "PENDING"),
        **span(timedelta(seconds=7)),
    },
    "trading.bots.entries_by_bot": {"open": (False, True)},
    "trading.portfolios.portfolios_by_user": {"mode": ("paper", "live"), "currency": ("USD", "AUD")},
    "trading.portfolios.positions_by_portfolio": {"symbol": ("T1", "T999"), "held": (True, False)},
    "trading.portfolios.value_points": span(timedelta(seconds=7)),
    "trading.performance.performance_by_portfolio": {
        "since": tuple(datetime.now(UTC) - timedelta(days=days) for days in (700, 5, -400)),
        "until": tuple(datetime.now(UTC) - timedelta(days=days) for days in (5, 725, 9999)),
    },
    "trading.orders.orders_by_portfolio": {
        "status": ("filled", "rejected", "expired"),
        "open": (False, True),
        "bracket_id": (UUID(filling.user(1)), UUID(filling.user(99_999))),
        **KINDS,
    },
    "trading.orders.open_orders_by_user": KINDS,
    "trading.orders.fills_by_portfolio": TRADED,
    "trading.orders.trades_by_portfolio": TRADED,
    "trading.journal.entries_by_portfolio": {
        "kind": ("fill", "deposit", "correction"),
        "life": (2, 1, 99),
        **span(timedelta(seconds=7)),
    },
    "trading.journal.lots_by_portfolio": {"symbol": ("T1", "T999"), "open": (True, False)},
    "trading.journal.disposals_by_portfolio": {"symbol": ("T1", "T999")},
}
KEYS: Final[Mapping[str, list[Any]]] = {
    "text": [wallet(filling.BUSY), wallet(2)],
    "uuid": [UUID(filling.user(filling.BUSY))],
    "integer": [7, filling.ROWS // 2],
    "bigint": [filling.entry(10), filling.entry(filling.ROWS // 2)],
}
SYMBOLS: Final = ["T1", "T7"]
PARAMETERS: Final = {"interval": "1m", "resolution": "1m", "period": "day"}
SIZE: Final = 50


class Case(NamedTuple):
    """A request, or the count of its list."""

    name: str
    request: PageRequest
    is_count: bool = False

    @property
    def shown(self) -> str:
        """What is asked, for a message."""
        request = self.request
        given = ", ".join(f"{name}={str(value)[:24]}" for name, value in request.filters)
        place = f"{'after ' if request.after else ''}{'before ' if request.before else ''}"
        way = "count" if self.is_count else f"{'last' if request.is_backward else 'first'} {place}"
        return f"{self.name} [{given}] {request.order}{' desc' if request.descending else ''} {way}"


# The list of what mentions one of some symbols; without them it is `news`.
ALWAYS: Final = {"market.news.news_mentioning": "symbols"}


def choices(name: str, loader: Page[Any]) -> Iterator[dict[str, Any]]:
    """No filter, each filter with each of its values, and each pair with frequent and rare ones."""
    yield {}
    values = VALUES.get(name, {})
    for one in loader.filters:
        for value in values[one]:
            yield {one: value}
    for one, other in combinations(loader.filters, 2):
        if loader.filters[one].column == loader.filters[other].column:
            yield {one: values[one][0], other: values[other][0]}
            continue
        for left, right in ((0, 0), (0, 1), (1, 0), (1, 1), (0, -1)):
            if left < len(values[one]) and right < len(values[other]):
                yield {one: values[one][left], other: values[other][right]}


def cases(name: str, loader: Page[Any], middles: Mapping[tuple[str, bool], Position]) -> Iterator[Case]:
    """Requests of a list, given a position in the middle of each order."""
    given = {each: PARAMETERS[each] for each in loader.parameters if each in PARAMETERS}
    for chosen in choices(name, loader):
        if name in ALWAYS and ALWAYS[name] not in chosen:
            continue
        filters = chosen | given
        yield Case(name, page_request(loader, SIZE + 1, filters=filters), is_count=True)
        for order, declared in loader.orders.items():
            for descending in (declared.descending, not declared.descending):
                # The other direction reads the same indexes the other way.
                if descending is not declared.descending and len(chosen) > 1:
                    continue
                first = page_request(loader, SIZE, order, descending=descending, filters=filters)
                yield Case(name, first)
                middle = middles[order, descending]
                ahead = msgspec.structs.replace(first, after=middle, asks_previous=True)
                yield Case(name, ahead)
                if len(chosen) < 2:
                    yield Case(name, msgspec.structs.replace(first, is_backward=True))
                    yield Case(name, msgspec.structs.replace(first, before=middle, is_backward=True, asks_next=True))


def keys(name: str, loader: Page[Any]) -> list[Any]:
    """Keys of the lists, of which the first has many rows."""
    type = loader.sources[0].slots["key"]
    return SYMBOLS if type == "text" and name.startswith("market.") else KEYS[type]


async def middles(owner: Owner, name: str, loader: Page[Any]) -> dict[tuple[str, bool], Position]:
    """A position in the middle of each order, in both directions."""
    found: dict[tuple[str, bool], Position] = {}
    rows = loader.sources[0].filled(
        lambda slot, type: f"{literal(keys(name, loader)[0] if slot == 'key' else PARAMETERS.get(slot))}::{type}"
    )
    for (order, declared), descending in product(loader.orders.items(), (False, True)):
        terms = ", ".join(
            f"l.{term.column}"
            if (end := term.fallback(descending=descending)) is None
            else f"coalesce(l.{term.column}, {end})"
            for term in declared.terms
        )
        async with owner.transaction():
            await owner.execute(scope_of(name).settings())
            row = await owner.fetchrow(
                f"SELECT {terms} FROM ({rows}) l ORDER BY l.{declared.columns[0]}"
                f" OFFSET (SELECT count(*) / 2 FROM ({rows}) l) LIMIT 1"
            )
        assert row is not None, f"{name} is empty"
        found[order, descending] = tuple(row)
    return found
