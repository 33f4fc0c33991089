"""What clients may ask for, as `serverInfo { limits }` publishes it."""

from collections.abc import Iterable
from typing import Final

import strawberry

from app.domains.ledger.services.mempool import MEMPOOL_LIMIT
from app.engine.checks import MAX_WAITING as CHECKS_WAITING
from app.engine.limits import Limits, model
from app.engine.limits.extra import holds
from app.engine.limits.text import MAX_VALUES
from app.engine.nodes import record_type
from app.engine.pages import MAX_FIRST
from app.kit.admission import party_limit
from app.kit.crypto.passwords import MAX_QUEUED
from app.kit.ratelimit import Limit
from app.settings import Settings

MAX_ATTEMPT_LIMITS: Final = 10


@record_type(model.AttemptLimit, description="How often something may be tried.")
class AttemptLimit:
    """How often something may be tried."""

    name: str = strawberry.field(
        description="`login`: wrong passwords for one account from one address, or from one device that has logged in"
        " before. `login-account`: those of strangers for one account. `login-address`: those of strangers from one"
        " address. `register`: wrong access codes from one address. `resend-verification`, `password-reset`: mails"
        " asked for, for one e-mail address from one address. There may come more."
    )
    attempts: int = strawberry.field(description="How many that count within any `windowS`.")
    window_s: float = strawberry.field(description="Seconds until an attempt counts no longer.")
    longest_pause_s: float | None = strawberry.field(
        description="Beyond `attempts` there is one more after each pause: of a second at first, then twice the last"
        " one, up to so many seconds. Null: none until one of those that count lapses."
    )


@record_type(Limits, description="What clients may ask for. What is beyond a limit is refused before it runs.")
class ServerLimits:
    """What clients may ask for."""

    body_bytes: int = strawberry.field(description="Size of a request body, in bytes.")
    tokens: int = strawberry.field(description="Lexical tokens in a document.")
    depth: int = strawberry.field(description="Levels of nested fields.")
    aliases: int = strawberry.field(description="Aliases in a document.")
    selections: int = strawberry.field(
        description="Fields and fragments in a document, all its operations together, when each fragment is written out"
        " wherever it is spread."
    )
    watchlist: int = strawberry.field(description="Tokens on one user's watchlist.")
    cost: int = strawberry.field(description="Cost of an operation, by `costFormula`.")
    cost_formula: str = strawberry.field(description="How the cost is computed, before anything runs.")
    first: int = strawberry.field(description="The largest `first` of a list whose argument says no other.")
    timeout_s: float = strawberry.field(description="Seconds a query or mutation may run.")
    subscriptions_per_socket: int = strawberry.field(description="Operations open at once on one WebSocket.")
    sockets_per_viewer: int = strawberry.field(
        description="WebSockets that one user has open at once to one server process, and apart from them as many "
        "streams of events. Further ones are refused with 1013 and 429: try again when one has ended."
    )
    stream_cost_per_socket: int = strawberry.field(
        description="What the subscriptions of one WebSocket, or one stream of events, may cost in a second together:"
        " the cost of an event, as `costFormula` has it, times the events that are expected in a second. Equal"
        " subscriptions count once."
    )
    stream_cost_per_viewer: int = strawberry.field(
        description="The same of all subscriptions that one user has open to one server process."
    )
    stream_cost_per_address: int = strawberry.field(
        description="The same of all anonymous subscriptions from one address to one server process."
    )
    ticks_per_s: float = strawberry.field(
        description="How often the market ticks in a second. Subscriptions to prices are charged for so many events;"
        " the others say in their descriptions for how many."
    )
    replay_events: int = strawberry.field(
        description="How far back `after` may begin, in events of its stream; further back is RESYNC_REQUIRED."
    )
    sockets_per_address: int = strawberry.field(
        description="Anonymous WebSockets open at once from one address to one server process; apart from them as many"
        " of anybody's that have sent no `connection_init` yet, and as many anonymous streams of events. Further ones"
        " are refused with 1013 and 429."
    )
    socket_accepts_per_s: int = strawberry.field(
        description="WebSockets that one server process accepts in a second, and as many at once after a quiet second."
        " Further ones are refused with 503: connect again a second later."
    )
    socket_accepts_per_s_per_address: int = strawberry.field(
        description="The same of those that come from one address."
    )
    socket_init_s: float = strawberry.field(
        description="Seconds until a WebSocket must have sent its `connection_init`; it is closed with 4408 then."
    )
    socket_ping_s: float = strawberry.field(
        description="Seconds between two pings on a WebSocket, and seconds for the answer to one; without an answer it"
        " is closed with 1013."
    )
    socket_drain_s: float = strawberry.field(
        description="Seconds that a reader of events may be behind; a WebSocket is closed with 1013 then, and a stream"
        " of events ends."
    )
    database_waiting: int = strawberry.field(
        description="Reads and writes that wait for the database at once, in one server process. Beyond that the answer"
        " is MAINTENANCE: try again shortly."
    )
    database_waiting_per_caller: int = strawberry.field(
        description="The same of one user, or of one address where nobody is logged in."
    )
    variable_values: int = strawberry.field(
        description="Values in the variables of a request, those within lists and objects and the names of fields among"
        " them."
    )
    large_requests_waiting: int = strawberry.field(
        description="Requests of some kilobytes that wait to be checked at once, in one server process. Beyond that the"
        " answer is MAINTENANCE: try again shortly."
    )
    large_requests_waiting_per_caller: int = strawberry.field(
        description="The same of one user, or of one address where nobody is logged in."
    )
    passwords_waiting: int = strawberry.field(
        description="Passwords that wait to be checked at once, in one server process. Beyond that the answer is"
        " MAINTENANCE: try again shortly."
    )
    mempool: int = strawberry.field(
        description="Transactions that wait for a block; further ones are MempoolFull until the next."
    )
    alerts: int = strawberry.field(description="Alerts that one user may have; further ones are AlertLimitReached.")
    code_guesses: int = strawberry.field(
        description="Wrong guesses at one verification code; then it is void, and another has to be asked for."
    )
    attempts: list[AttemptLimit] = strawberry.field(
        metadata=holds(MAX_ATTEMPT_LIMITS),
        description="What may be tried only so often; further attempts are RATE_LIMITED, or RateLimited with its"
        f" `retryAfterS`. At most {MAX_ATTEMPT_LIMITS}.",
    )


def build_limits(settings: Settings, *, tick_period_s: float, attempts: Iterable[Limit] = ()) -> Limits:
    """What is enforced here and there, in one place."""
    return Limits(
        body_bytes=settings.body_limit_bytes,
        tokens=settings.query_token_limit,
        depth=settings.query_depth_limit,
        aliases=settings.query_alias_limit,
        selections=settings.query_selection_limit,
        cost=settings.query_cost_limit,
        first=MAX_FIRST,
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
