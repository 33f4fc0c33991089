"""What refuses a client for asking too much, too often or too slowly is published in `serverInfo { limits }`."""

import ast
import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from graphql import GraphQLObjectType

from app.domains.accounts.services import AccountsServices
from app.kit.admission import Admission, Overloaded
from app.kit.ratelimit import Limit
from app.main import Application, build_graph
from app.schema.limits import MAX_ATTEMPT_LIMITS, build_limits
from app.settings import Settings
from tests.waiting import until

ROOT: Final = Path(__file__).resolve().parents[2]
SCHEMA: Final = build_graph()._schema

# What says no because of a limit: by what is raised, what it is closed or answered with, and how its message begins.
RAISED: Final = {
    "LimitExceeded",
    "RateLimited",
    "Overloaded",
    "TimedOut",
    "Limit",
    "MempoolFull",
    "AlertLimitReached",
    "PortfolioLimitReached",
    "WatchlistFull",
}
CODES: Final = {
    "RATE_LIMITED",
    "INIT_TIMEOUT",
    "TRY_AGAIN_LATER",
    "_TRY_AGAIN_LATER",
    "REQUEST_ENTITY_TOO_LARGE",
    "TOO_MANY_REQUESTS",
    "_overloaded",
}
WORDS: Final = ("Too many", "Too much")

SOCKETS: Final = {"socketsPerViewer", "socketsPerAddress"}
ACCEPTS: Final = {"socketAcceptsPerSecond", "socketAcceptsPerAddressPerSecond"}
REFUSALS: Final[dict[str, set[str]]] = {
    "domains.accounts.services.__init__.AccountsServices.build": {"attempts"},
    "domains.accounts.services.credentials": {"attempts"},
    "domains.accounts.services.devices.Devices._strangers": {"attempts"},
    "domains.accounts.services.registration": {"attempts"},
    "domains.accounts.services.verification": {"attempts"},
    "domains.ledger.services.mempool.Mempool.require_room": {"mempool"},
    "domains.market.alerts.services.alerts.Alerts._insert": {"alerts"},
    "domains.market.watchlist.services.Watchlist.add.add": {"watchlist"},
    "domains.trading.analytics.services.Analytics.track.record": {"analyticsEvents"},
    "domains.trading.portfolios.services.portfolios.Portfolios.create.create": {"portfolios"},
    "engine.execution.documents.Documents._parse": {"tokens"},
    "engine.execution.engine.Engine._run": {"timeoutMs"},
    "engine.execution.engine.Engine.open_stream": {"timeoutMs"},
    "engine.execution.checks.Checks.run": {"largeRequestsWaiting", "largeRequestsWaitingPerCaller"},
    "engine.execution.limits.cost._refusal": {"cost", "costFormula"},
    "engine.execution.limits.text.check_variables": {"variableValues"},
    "engine.execution.limits.shape.check_shape": {"selections", "depth", "aliases"},
    "engine.streams.subscriptions.Subscriptions._charge": {
        "streamCostPerSocketPerSecond",
        "streamCostPerViewerPerSecond",
        "streamCostPerAddressPerSecond",
        "ticksPerSecond",
    },
    "engine.streams.subscriptions.Subscriptions.open": {"timeoutMs"},
    "kit.admission.Admission.enter": {"databaseWaiting", "databaseWaitingPerCaller"},
    "kit.crypto.passwords.Passwords._run": {"passwordsWaiting"},
    "kit.ratelimit.RateLimiter._take_slot": {"attempts"},
    "transport.messages.read_body": {"bodyBytes"},
    "transport.connection_limits.ConnectionLimits.acquire": SOCKETS,
    "transport.sockets.admission": ACCEPTS,
    "transport.sockets.admission.SocketAdmission._refused": ACCEPTS,
    "transport.sockets.admission.SocketAdmission.acquire": SOCKETS,
    "transport.sockets.socket.Socket._evict": {"socketDrainMs"},
    "transport.sockets.socket.Socket._not_initialised": {"socketInitMs"},
    "transport.sockets.socket.Socket._subscribe": {"subscriptionsPerSocket"},
    "transport.sockets.wire.Wire.keepalive_timeout": {"socketPingMs"},
}
NO_REFUSALS_OF_THEIR_OWN: Final = {
    # What admins set is published in `systemSettings`.
    "transport.files.Files._too_large",
    # What the problems are, and how they are shown.
    "domains.ledger.model.MempoolFull",
    "engine.declarations.problems.RateLimited",
    "engine.execution.rules.validation.validate.on_error",
    "engine.execution.checks.TooManyChecks",
    "kit.admission.Admission.__init__",
    "kit.admission.Overloaded",
    "kit.errors.Code",
    "kit.errors.RateLimited",
    "kit.errors.RateLimited.__init__",
    "schema.ledger.payments.MempoolFull",
    "transport.refusals",
    "transport.sockets.error_mapping",
    "transport.sockets.error_mapping.closing_for",
    "transport.sockets.protocol.CloseCode",
    "transport.sockets.wire",
    # What the limits of an API key are, `rateLimit` says, and every answer to one.
    "transport.calls.charged",
    "transport.event_streams.EventStreams._minutes.end_stream",
    # How others answer us.
    "domains.market.providers.services.client.pause_after",
    # Protocol, not a limit: one initialisation; a session of which nothing is known; and maintenance.
    "transport.sockets.socket.Socket._init",
    "transport.sockets.socket.Socket._over",
    "transport.sockets.socket.Socket.begin_maintenance",
}


def refusing(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Raise(exc=ast.Name(id=name)):
            return name in RAISED
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in CODES
        case ast.Constant(value=str() as text):
            return text.startswith(WORDS)
    return False


def sites(node: ast.AST, where: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        below = f"{where}.{child.name}" if inside else where  # type: ignore[attr-defined]
        if refusing(child):
            yield below
        yield from sites(child, below)


def test_whatever_refuses_for_a_limit_is_known_with_the_limits_that_are_published() -> None:
    found = {
        site
        for path in (ROOT / "app").rglob("*.py")
        for site in sites(ast.parse(path.read_text()), ".".join(path.relative_to(ROOT / "app").with_suffix("").parts))
    }
    assert found == set(REFUSALS) | NO_REFUSALS_OF_THEIR_OWN
    kind = SCHEMA.type_map["ServerLimits"]
    assert isinstance(kind, GraphQLObjectType)
    assert set().union(*REFUSALS.values()) <= set(kind.fields)


# What a setting bounds that no client runs into: what only we ask for, what is ours to hold, how long tokens live.
NOT_FOR_CLIENTS: Final = {
    "port",
    "keep_alive_s",
    "database_pool_size",
    "database_timeout_s",
    "access_token_ttl_s",
    "refresh_token_ttl_s",
    "otp_ttl_s",
    "socket_token_warning_s",
    "stream_memory_limit",
    "mining_hashes_per_s",
    "coinbase_maturity",
    "market_token_limit",
    "market_seed",
    "market_quote_age_s",
    "market_silence_s",
    "coingecko_requests_per_minute",
    "coinmarketcap_requests_per_minute",
    "lunarcrush_requests_per_minute",
    "provider_timeout_s",
    "provider_attempts",
    "research_timeout_s",
    "news_timeout_s",
    "news_limit_bytes",
    "demo_days",
    # In `attempts` and `ticksPerSecond`, which the houses say.
    "login_attempts",
    "login_window_s",
    "market_period_s",
}


def test_every_number_that_can_be_set_is_published_or_no_clients_business() -> None:
    numbers = {name for name, each in Settings.model_fields.items() if {int, float} & set(kinds(each.annotation))}
    usual = published(Settings())
    changed = {
        name: {
            key
            for key, value in published(Settings().model_copy(update={name: getattr(Settings(), name) + 8})).items()
            if value != usual[key]
        }
        for name in numbers - {"market_period_s"}
    }
    silent = {name for name, limits in changed.items() if not limits}
    assert silent == NOT_FOR_CLIENTS - {"market_period_s"}
    assert numbers >= NOT_FOR_CLIENTS
    # Each of its own: no two are published as one another.
    assert all(len(limits) == 1 for name, limits in changed.items() if limits and name != "database_waiting_limit")


def kinds(annotation: Any) -> list[Any]:
    return list(getattr(annotation, "__args__", (annotation,)))


def published(settings: Settings) -> dict[str, Any]:
    return msgspec.structs.asdict(build_limits(settings, tick_period_s=1.0))


def test_each_limit_is_a_field_of_the_graph() -> None:
    kind = SCHEMA.type_map["ServerLimits"]
    assert isinstance(kind, GraphQLObjectType)
    limits = build_limits(Settings(), tick_period_s=0.5)
    shown = {name: field.resolve(limits, None) for name, field in kind.fields.items() if field.resolve}
    expected = {
        (_in_the_graph(name), value * 1000 if name.endswith("_s") and "_per_s" not in name else value)
        for name, value in msgspec.structs.asdict(limits).items()
    }
    assert {(name.replace("PerSecond", ""), value) for name, value in shown.items()} == expected


def _in_the_graph(name: str) -> str:
    """The name without the unit of a rate."""
    first, *rest = re.sub(r"_s$", "_ms", re.sub(r"_per_s(?=_|$)", "", name)).split("_")
    return first + "".join(map(str.capitalize, rest))


async def test_a_caller_may_wait_as_often_as_is_published() -> None:
    admission = Admission(1, waiting_limit=40)
    limits = build_limits(Settings(database_waiting_limit=40), tick_period_s=1.0)
    await admission.enter("alice")
    waiting = [asyncio.create_task(admission.enter("alice")) for _ in range(limits.database_waiting_per_caller)]
    await until(lambda: admission.waiting == limits.database_waiting_per_caller)
    further = asyncio.create_task(admission.enter("alice"))
    await until(lambda: further.done() or admission.waiting > limits.database_waiting_per_caller)
    assert further.done()
    assert isinstance(further.exception(), Overloaded)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_attempts_are_published_as_they_are_counted(application: Application) -> None:
    counted = application.services[AccountsServices].limits
    limits = build_limits(application.settings, tick_period_s=1.0, attempts=counted)
    assert [
        Limit(
            each.name,
            each.attempts,
            timedelta(seconds=each.window_s),
            None if each.longest_pause_s is None else timedelta(seconds=each.longest_pause_s),
        )
        for each in limits.attempts
    ] == list(counted)
    assert len({each.name for each in counted}) == len(counted) <= MAX_ATTEMPT_LIMITS
    described = SCHEMA.type_map["AttemptLimit"]
    assert isinstance(described, GraphQLObjectType)
    assert all(f"`{each.name}`" in str(described.fields["name"].description) for each in counted)
