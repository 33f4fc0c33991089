"""The limits on requests, which `serverInfo { limits }` publishes."""

from collections.abc import Iterable
from typing import Final

import strawberry

from app.domains.ledger.services.mempool import MEMPOOL_LIMIT
from app.domains.trading.analytics.model import EVENT_LIMIT
from app.engine.declarations import limits as model
from app.engine.declarations.costs import holds
from app.engine.declarations.durations import Milliseconds, milliseconds_of
from app.engine.declarations.limits import Limits
from app.engine.declarations.nodes import record_type
from app.engine.declarations.pages import MAX_SIZE
from app.engine.execution.checks import MAX_WAITING as CHECKS_WAITING
from app.engine.execution.limits.text import MAX_VALUES
from app.kit.admission import party_limit
from app.kit.crypto.passwords import MAX_QUEUED
from app.kit.ratelimit import Limit
from app.settings import Settings

MAX_ATTEMPT_LIMITS: Final = 10


@record_type(model.AttemptLimit)
class AttemptLimit:
    """A limit on the attempts at an operation."""

    name: str = strawberry.field(
        description="`login`: wrong passwords for one account from one IP address, or from one device that logged in"
        " before. `login-account`: wrong passwords for one account from unknown clients. `login-address`: wrong"
        " passwords from unknown clients at one IP address. `register`: wrong access codes from one IP address."
        " `resend-verification`, `password-reset`: requests to mail one e-mail address from one IP address. More names"
        " may be added."
    )
    attempts: int = strawberry.field(description="The number of counted attempts allowed in any `windowMs`.")
    window_ms: Milliseconds = milliseconds_of(
        "window_s", description="The time after which an attempt no longer counts, in milliseconds."
    )
    longest_pause_ms: Milliseconds | None = milliseconds_of(
        "longest_pause_s",
        description="Beyond `attempts`, one more attempt is allowed after each pause. The first pause is a second, and"
        " each pause is twice the previous one, up to this number of milliseconds. Null: no attempt is allowed until a"
        " counted one expires.",
    )


@record_type(Limits)
class ServerLimits:
    """The limits on what clients can request. A request beyond a limit is rejected before it runs."""

    body_bytes: int = strawberry.field(description="The size of a request body in bytes.")
    tokens: int = strawberry.field(description="The number of lexical tokens in a document.")
    depth: int = strawberry.field(description="The levels of nested fields.")
    aliases: int = strawberry.field(description="The number of aliases in a document.")
    selections: int = strawberry.field(
        description="The number of fields and fragments in all operations of a document, each fragment counted wherever"
        " it is spread."
    )
    watchlist: int = strawberry.field(description="The number of tokens on the watchlist of a user.")
    cost: int = strawberry.field(description="The cost of an operation, computed by `costFormula`.")
    cost_formula: str = strawberry.field(description="How the cost of an operation is computed before it runs.")
    first: int = strawberry.field(
        description="The largest `first` of a list, unless the description of the argument names another."
    )
    timeout_ms: Milliseconds = milliseconds_of(
        "timeout_s", description="The time that a query or mutation can run, in milliseconds."
    )
    subscriptions_per_socket: int = strawberry.field(
        description="The number of operations open at the same time on one WebSocket."
    )
    sockets_per_viewer: int = strawberry.field(
        description="The number of WebSockets that one user can have open to one server process, and separately the"
        " number of streams of events. Further ones are rejected with 1013 and 429: try again when one has ended."
    )
    stream_cost_per_socket: int = strawberry.field(
        name="streamCostPerSocketPerSecond",
        description="The cost per second of all subscriptions on one WebSocket or one stream of events: the cost of an"
        " event by `costFormula`, times the expected number of events in a second. Equal subscriptions count once.",
    )
    stream_cost_per_viewer: int = strawberry.field(
        name="streamCostPerViewerPerSecond",
        description="The cost per second of all subscriptions that one user has open to one server process.",
    )
    stream_cost_per_address: int = strawberry.field(
        name="streamCostPerAddressPerSecond",
        description="The cost per second of all anonymous subscriptions from one IP address to one server process.",
    )
    ticks_per_s: float = strawberry.field(
        name="ticksPerSecond",
        description="The number of market ticks in a second. Subscriptions to prices are charged for this number of"
        " events; the descriptions of other subscriptions name theirs.",
    )
    replay_events: int = strawberry.field(
        description="How many events back in its stream `after` can start. Further back is RESYNC_REQUIRED."
    )
    sockets_per_address: int = strawberry.field(
        description="The number of anonymous WebSockets from one IP address to one server process; separately the"
        " number of WebSockets that have not sent `connection_init` yet, and the number of anonymous streams of events."
        " Further ones are rejected with 1013 and 429."
    )
    socket_accepts_per_s: int = strawberry.field(
        name="socketAcceptsPerSecond",
        description="The number of WebSockets that one server process accepts in a second, and at once after a quiet"
        " second. Further ones are rejected with 503: connect again a second later.",
    )
    socket_accepts_per_s_per_address: int = strawberry.field(
        name="socketAcceptsPerAddressPerSecond",
        description="The number of WebSockets from one IP address that one server process accepts in a second.",
    )
    socket_init_ms: Milliseconds = milliseconds_of(
        "socket_init_s",
        description="The time until a WebSocket must have sent `connection_init`, in milliseconds. It is closed with"
        " 4408 otherwise.",
    )
    socket_ping_ms: Milliseconds = milliseconds_of(
        "socket_ping_s",
        description="The time between two pings on a WebSocket, and to wait for the answer to one, in milliseconds."
        " Without an answer the WebSocket is closed with 1013.",
    )
    socket_drain_ms: Milliseconds = milliseconds_of(
        "socket_drain_s",
        description="The time that a reader of events can be behind, in milliseconds. After that a WebSocket is closed"
        " with 1013, and a stream of events ends.",
    )
    database_waiting: int = strawberry.field(
        description="The number of reads and writes that wait for the database in one server process. Further ones are"
        " answered with MAINTENANCE: try again shortly."
    )
    database_waiting_per_caller: int = strawberry.field(
        description="The number of those reads and writes of one user, or of one IP address for anonymous callers."
    )
    variable_values: int = strawberry.field(
        description="The number of values in the variables of a request, including the values in lists and objects, and"
        " the names of fields."
    )
    large_requests_waiting: int = strawberry.field(
        description="The number of requests of some kilobytes that wait to be checked in one server process. Further"
        " ones are answered with MAINTENANCE: try again shortly."
    )
    large_requests_waiting_per_caller: int = strawberry.field(
        description="The number of those requests of one user, or of one IP address for anonymous callers."
    )
    passwords_waiting: int = strawberry.field(
        description="The number of passwords that wait to be checked in one server process. Further ones are answered"
        " with MAINTENANCE: try again shortly."
    )
    mempool: int = strawberry.field(
        description="The number of transactions that wait for a block. Further ones are MempoolFull until then."
    )
    alerts: int = strawberry.field(
        description="The number of alerts that one user can have. Further ones are AlertLimitReached."
    )
    exchange_accounts: int = strawberry.field(
        description="The number of accounts at exchanges that one user can have connected. Further ones are"
        " ExchangeAccountLimitReached."
    )
    portfolios: int = strawberry.field(
        description="The number of portfolios that one user can have. Further ones are PortfolioLimitReached."
    )
    tenants: int = strawberry.field(
        description="The number of tenants that one user can own. Further ones are TenantLimitReached."
    )
    bots: int = strawberry.field(
        description="The number of bots that one user can have. Further ones are BotLimitReached."
    )
    quote_age_ms: Milliseconds = milliseconds_of(
        "quote_age_s",
        description="The age of a quote, in milliseconds, up to which the market of a token is open. With an older one"
        " new orders and changes are MarketClosed.",
    )
    analytics_events: int = strawberry.field(
        description="The number of events that one user can track in an hour. Further ones are RateLimited.",
    )
    code_guesses: int = strawberry.field(
        description="The number of wrong guesses at one verification code. After that the code is invalid, and a new"
        " one has to be requested."
    )
    attempts: list[AttemptLimit] = strawberry.field(
        metadata=holds(MAX_ATTEMPT_LIMITS),
        description="The limits on attempts. Further attempts are RATE_LIMITED, or RateLimited with `retryAfterMs`. At"
        f" most {MAX_ATTEMPT_LIMITS}.",
    )


def build_limits(settings: Settings, *, tick_period_s: float, attempts: Iterable[Limit] = ()) -> Limits:
    """All limits that the settings and the modules enforce."""
    return Limits(
        body_bytes=settings.body_limit_bytes,
        tokens=settings.query_token_limit,
        depth=settings.query_depth_limit,
        aliases=settings.query_alias_limit,
        selections=settings.query_selection_limit,
        cost=settings.query_cost_limit,
        first=MAX_SIZE,
        timeout_s=settings.query_timeout_s,
        subscriptions_per_socket=settings.socket_subscription_limit,
        sockets_per_viewer=settings.socket_viewer_limit,
        sockets_per_address=settings.socket_address_limit,
        socket_accepts_per_s=settings.socket_accept_rate,
        socket_accepts_per_s_per_address=settings.socket_address_accept_rate,
        socket_init_s=settings.socket_init_timeout_s,
        socket_ping_s=settings.socket_ping_s,
        socket_drain_s=settings.socket_drain_s,
        replay_events=settings.stream_replay_limit,
        stream_cost_per_socket=settings.stream_socket_cost_limit,
        stream_cost_per_viewer=settings.stream_viewer_cost_limit,
        stream_cost_per_address=settings.stream_address_cost_limit,
        ticks_per_s=1 / tick_period_s,
        watchlist=settings.watchlist_limit,
        mempool=MEMPOOL_LIMIT,
        alerts=settings.alert_limit,
        exchange_accounts=settings.exchange_account_limit,
        portfolios=settings.portfolio_limit,
        bots=settings.bot_limit,
        tenants=settings.tenant_limit,
        quote_age_s=settings.quote_age_s,
        analytics_events=EVENT_LIMIT,
        database_waiting=settings.database_waiting_limit,
        database_waiting_per_caller=party_limit(settings.database_waiting_limit),
        variable_values=MAX_VALUES,
        large_requests_waiting=CHECKS_WAITING,
        large_requests_waiting_per_caller=party_limit(CHECKS_WAITING),
        passwords_waiting=MAX_QUEUED,
        code_guesses=settings.otp_max_guesses,
        attempts=tuple(map(_published, attempts)),
    )


def _published(limit: Limit) -> model.AttemptLimit:
    longest = limit.longest_pause
    return model.AttemptLimit(
        name=limit.name,
        attempts=limit.attempts,
        window_s=limit.window.total_seconds(),
        longest_pause_s=None if longest is None else longest.total_seconds(),
    )
