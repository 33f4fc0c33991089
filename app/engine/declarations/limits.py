"""The limits as a record: enforced by the engine, published as `serverInfo { limits }`."""

import msgspec

from app.kit.errors import Code, Problem

COST_FORMULA = (
    "Each field costs 1, a root field of a mutation 10, and as much more as its description says. What is selected"
    " below a list counts as often as the list can have items, and of a list of plain values each item costs 1: below"
    " the lists of a connection (`edges`, `nodes`) it counts `first` times, 20 where `first` is not given; below"
    " `nodes(ids:)` and `priceTicks(symbols:)` as often as there are `ids` and `symbols`, 250 without `symbols`; else"
    " as many times as the list's description says. Fragments count wherever they are spread."
    " What is selected below `__schema` and `__type` counts as often as the schema has it: 25 of these values cost 1 in"
    " an operation that selects nothing else; in others each costs 5."
)


class AttemptLimit(msgspec.Struct, frozen=True):
    """The number of attempts that are allowed; `kit.ratelimit` counts them."""

    name: str
    """What is counted, and by what: user, address, or both."""
    attempts: int
    """The maximum number of attempts in any period of `window_s`."""
    window_s: float
    """The length of the period in seconds."""
    longest_pause_s: float | None = None
    """Above the maximum, one attempt is allowed after each pause. The pause doubles up to this many seconds. None: no
    attempt is allowed until earlier ones are older than `window_s`."""


class Limits(msgspec.Struct, frozen=True):
    """The limits of requests. A request that exceeds one is refused before it is executed."""

    body_bytes: int
    """Bytes of an HTTP body or of one WebSocket message."""
    tokens: int
    """The maximum number of lexical tokens of a document; the same number of comments."""
    depth: int
    """Fields nested in one another; fragments count as if written out, introspection does not count."""
    aliases: int
    """Aliased fields, repeated fields and repeated directives, in all; fragments count wherever they are spread."""
    cost: int
    """Cost of one operation by `cost_formula`."""
    first: int
    """Largest page of a connection that declares no other."""
    timeout_s: float
    """Seconds that a query, a mutation or one event of a subscription may take."""
    subscriptions_per_socket: int
    """Operations open at once on one WebSocket."""
    sockets_per_viewer: int
    """WebSockets that one user has open at once to one server process."""
    replay_events: int
    """How far back a subscription may begin, in events of its stream."""
    stream_cost_per_socket: int = 20_000
    """What the subscriptions of one WebSocket or one stream of events may cost in a second together: the cost of an
    event by `cost_formula` times the events that are expected in a second. Equal ones count once."""
    stream_cost_per_viewer: int = 40_000
    """The same of all subscriptions that one user has open to one server process."""
    stream_cost_per_address: int = 40_000
    """The same of all anonymous subscriptions from one address to one server process."""
    ticks_per_s: float = 1.0
    """How often the market ticks."""
    watchlist: int = 200
    """Tokens on one user's watchlist."""
    selections: int = 20_000
    """Fields and fragments of a document, fragments written out wherever they are spread, all operations together."""
    sockets_per_address: int = 100
    """Anonymous WebSockets open at once from one address to one server process; as many that have not begun."""
    socket_accepts_per_s: int = 2000
    """WebSockets that one server process accepts in a second, and as many at once after a quiet second."""
    socket_accepts_per_s_per_address: int = 200
    """The same of those that come from one address."""
    socket_init_s: float = 5.0
    """Seconds until a WebSocket must have sent its `connection_init`."""
    socket_ping_s: float = 6.5
    """Seconds between two pings, and for the answer to one."""
    socket_drain_s: float = 10.0
    """Seconds that a reader of events may be behind."""
    database_waiting: int = 4000
    """Reads and writes that wait for a connection to the database, in one server process."""
    database_waiting_per_caller: int = 1000
    """The same for one user, or for one address of anonymous callers."""
    variable_values: int = 10_000
    """Values in the variables of a request, the names of fields among them."""
    large_requests_waiting: int = 200
    """Large requests that wait to be checked, in one server process."""
    large_requests_waiting_per_caller: int = 50
    """The same for one user, or for one address of anonymous callers."""
    passwords_waiting: int = 256
    """Passwords that wait to be checked, in one server process."""
    mempool: int = 20_000
    """Transactions that wait for a block."""
    alerts: int = 500
    """Alerts that one user may have."""
    bots: int = 50
    tenants: int = 10
    """Bots that one user may have."""
    exchange_accounts: int = 10
    """Accounts at exchanges that one user may have connected."""
    portfolios: int = 50
    """Portfolios that one user may have."""
    quote_age_s: float = 60.0
    """How old a quote may be at which orders are taken on."""
    analytics_events: int = 1000
    """Events that the clients of one user may track in an hour."""
    code_guesses: int = 5
    """Wrong guesses at one verification code."""
    attempts: tuple[AttemptLimit, ...] = ()
    """What may be tried so often and no more."""
    cost_formula: str = COST_FORMULA
    """How the cost is computed, in English."""


class LimitExceeded(Problem):
    """The operation asks for too much."""

    code = Code.COST_EXCEEDED
