"""The composition root: builds what lives as long as the process, and wires the houses."""

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import strawberry
import structlog

from app.adapters import PORTS, build_pulse
from app.domains.accounts.services import AccountsServices
from app.domains.market.services import MarketServices
from app.domains.system.services import SystemServices
from app.engine.declarations.cursors import Cursors
from app.engine.execution.engine import Engine
from app.engine.streams.subscriptions import Subscriptions
from app.identities import Identities
from app.kit.clock import Clock
from app.kit.crypto.envelope import BadKeyring, Keyring
from app.kit.crypto.local import derive, local_secret
from app.kit.crypto.passwords import Passwords
from app.kit.database_clock import DatabaseClock, keep_time
from app.kit.db import Database, Scope
from app.kit.errors import Forbidden, Unavailable
from app.kit.events import EventLog
from app.kit.house import Resources, Services, Wiring, build_houses
from app.kit.hub import Hub
from app.kit.mail import FolderMailer, Mailer, SmtpMailer
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.kit.reads import Reads
from app.kit.redis_client import Redis, open_redis
from app.kit.tasks import end
from app.schema.accounts.house import ACCOUNTS
from app.schema.campaigns.house import CAMPAIGNS
from app.schema.composition import domains_of, nodes_of
from app.schema.context import Context, Runtime, scope_of
from app.schema.ledger.house import LEDGER
from app.schema.limits import build_limits
from app.schema.market.house import MARKET
from app.schema.notifications.house import NOTIFICATIONS
from app.schema.realtime.house import REALTIME
from app.schema.realtime.registry import OpenStreams
from app.schema.root import build_schema
from app.schema.system.house import SYSTEM
from app.schema.tenancy.house import TENANCY
from app.schema.trading.house import TRADING
from app.settings import Settings
from app.transport.application import create_app
from app.transport.event_streams import EventStreams
from app.transport.logging import configure_logging
from app.transport.runtime import AppRuntime, Caller, DemoLogin
from app.transport.server import serve as serve_app
from app.transport.sessions import SessionWatch
from app.transport.sockets import SocketEndpoint

log = structlog.get_logger(__name__)

HOUSES: Final = (ACCOUNTS, TENANCY, LEDGER, MARKET, TRADING, CAMPAIGNS, NOTIFICATIONS, SYSTEM, REALTIME)
"""Every house, in the order of the graph."""

DOMAINS: Final = domains_of(HOUSES)
"""The domains of the houses, each after those that it knows."""

EMBEDDED_HINT = "`make serve` starts embedded ones"


@dataclass(frozen=True)
class Application:
    """What every verb that touches the data works with."""

    settings: Settings
    database: Database
    redis: Redis
    clock: Clock
    events: EventLog
    mailer: Mailer
    wiring: Wiring

    @property
    def services(self) -> Services:
        """The services of every house."""
        return self.wiring.services


@asynccontextmanager
async def open_application(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Application]:
    """Connects to both servers and wires the houses. Raises Unavailable with one clear line.

    `clock` is for data with a past; otherwise it is the database's, whatever this machine's says.
    """
    async with contextlib.AsyncExitStack() as stack:
        database = await Database.open(
            database_url(settings),
            role=settings.database_role,
            size=settings.database_pool_size,
            timeout_s=settings.database_timeout_s,
            waiting_limit=settings.database_waiting_limit,
        )
        stack.push_async_callback(database.close)
        if clock is None:
            clock = await stack.enter_async_context(keep_time(database))
        redis = await open_redis(redis_url(settings))
        stack.push_async_callback(redis.aclose)
        passwords = Passwords()
        stack.callback(passwords.close)
        events, mailer = EventLog(database, redis), build_mailer(settings, clock)
        wiring = build_wiring(settings, database, redis, clock, events, mailer, passwords)
        for house in DOMAINS:
            stack.push_async_callback(house.stop, wiring.services[house.services])
        yield Application(settings, database, redis, clock, events, mailer, wiring)


def build_wiring(  # noqa: PLR0917  # the composition root hands everything to everybody
    settings: Settings,
    database: Database,
    redis: Redis,
    clock: Clock,
    events: EventLog,
    mailer: Mailer,
    passwords: Passwords,
) -> Wiring:
    """Builds the houses."""
    resources = Resources(
        settings=settings,
        secret=secret_key(settings),
        database=database,
        redis=redis,
        clock=clock,
        events=events,
        mailer=mailer,
        keyring=build_keyring(settings),
        passwords=passwords,
    )
    return build_houses(DOMAINS, resources, PORTS)


def database_url(settings: Settings) -> str:
    """The owner's URL of the database."""
    if settings.database_url is None:
        raise Unavailable(f"MONETA_DATABASE_URL is not set; {EMBEDDED_HINT}.")
    return settings.database_url


def redis_url(settings: Settings) -> str:
    """The URL of Redis."""
    if settings.redis_url is None:
        raise Unavailable(f"MONETA_REDIS_URL is not set; {EMBEDDED_HINT}.")
    return settings.redis_url


def secret_key(settings: Settings) -> str:
    """What signs tokens: the setting, or in development one that this home keeps."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return kept_secret(settings, "secret.key", lambda: secrets.token_urlsafe(48))


def key_encryption_keys(settings: Settings) -> str:
    """What wallet keys are sealed under: the setting, or in development one that this home keeps."""
    if settings.key_encryption_keys is not None:
        return settings.key_encryption_keys.get_secret_value()
    return kept_secret(
        settings, "key-encryption.keys", lambda: f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    )


def kept_secret(settings: Settings, name: str, make: Callable[[], str]) -> str:
    """A secret of this home, made by `make` the first time. Raises Unavailable."""
    try:
        return local_secret(settings.home / name, make)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Unavailable(f"MONETA_HOME: {name} cannot be kept there: {why}.") from None


def build_keyring(settings: Settings) -> Keyring:
    """The key-encryption keys. Raises Unavailable with one clear line, which never quotes them."""
    try:
        return Keyring.parse(key_encryption_keys(settings))
    except BadKeyring as error:
        kept = settings.key_encryption_keys is None
        where = str(settings.home / "key-encryption.keys") if kept else "MONETA_KEY_ENCRYPTION_KEYS"
        raise Unavailable(f"{where}: {error}.") from None


def build_mailer(settings: Settings, clock: Clock) -> Mailer:
    """SMTP where it is configured, otherwise a folder: /dev/mail shows it in development, and nothing in production."""
    if settings.smtp_url is not None:
        try:
            return SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from, clock)
        except ValueError as error:
            raise Unavailable(f"MONETA_SMTP_URL or MONETA_MAIL_FROM: {error}.") from None
    return FolderMailer(settings.home / "outbox", clock)


def build_graph() -> strawberry.Schema:
    """The whole graph."""
    return build_schema(HOUSES)


def build_runtime(application: Application, hub: Hub, rpc: ProcessRpc) -> AppRuntime:
    """What the transports are handed."""
    settings, services = application.settings, application.services
    limits = build_limits(
        settings,
        tick_period_s=services[MarketServices].providers.prices.period_s,
        attempts=services[AccountsServices].limits,
    )
    engine = Engine(build_graph(), limits, show_statements=not settings.production)
    subscriptions = Subscriptions(engine, hub, replay_limit=settings.stream_replay_limit)
    open_streams, identities = OpenStreams(subscriptions, rpc), Identities.of(services)

    def new_reads(scope: Scope) -> Reads:
        return Reads(application.database, scope)

    schema_runtime = Runtime(
        settings=settings,
        services=services,
        limits=limits,
        nodes=nodes_of(HOUSES),
        cursors=Cursors(derive(secret_key(settings), "cursors of lists")),
        open_streams=open_streams,
        new_reads=new_reads,
    )
    for house in DOMAINS:
        house.follow(services[house.services], hub)
    mailer = application.mailer
    metrics = [each for house in DOMAINS for each in house.metrics(services[house.services])]
    runtime = AppRuntime(
        settings=settings,
        engine=engine,
        new_context=lambda caller: new_context(schema_runtime, caller),
        authenticate=identities.authenticate,
        tenancy_of=identities.tenancy_of,
        acting_by_key=identities.acting_by_key,
        charge=identities.charge,
        fault_of=identities.sessions.fault_of,
        database=application.database,
        redis=application.redis,
        hub=hub,
        subscriptions=subscriptions,
        sessions=SessionWatch(hub, identities.expiries, application.clock, identities.forget),
        maintenance=services[SystemServices].cache.maintenance,
        dev_mailbox=mailer if isinstance(mailer, FolderMailer) else None,
        readiness_checks={
            name: check
            for house in DOMAINS
            for name, check in house.checks(application.wiring, services[house.services]).items()
        },
        collectors=[each.collector for each in metrics],
        metric_refreshes=[each.refresh for each in metrics if each.refresh is not None],
        demo_logins=tuple(DemoLogin(*login) for login in settings.demo_logins),
        demo_access_codes=settings.demo_access_codes,
    )
    runtime.metrics.watch_paths(engine.paths.__getitem__)
    runtime.metrics.watch_checks(engine.checks.turns)
    if isinstance(application.clock, DatabaseClock):
        runtime.metrics.watch_clock(application.clock)
    return runtime


def new_context(runtime: Runtime, caller: Caller) -> Context:
    """The context of one operation."""
    return Context(
        runtime=runtime,
        viewer=caller.viewer,
        client=caller.client,
        request_id=caller.request_id,
        from_browser=caller.from_browser,
        refresh_token=caller.refresh_token,
        refusal=None if caller.refusal is None else caller.refusal.reason,
        device_token=caller.device_token,
        tenancy=caller.tenancy,
        tenant_refusal=caller.tenant_refusal,
        usage=caller.usage,
        reads=runtime.new_reads(scope_of(caller.viewer, caller.tenancy)),
    )


async def check_production(application: Application) -> None:
    """Before a public deployment: refuses secrets that anybody knows, and warns of mails that are not sent.

    Raises Forbidden, with what gives access that should not.
    """
    if not application.settings.production:
        return
    if found := await application.services[AccountsServices].demo_access.findings():
        raise Forbidden(
            f"This is production, and what the documentation publishes gives access: {'; '.join(found)}. "
            "Change the passwords (or delete the users), delete the codes."
        )
    if isinstance(application.mailer, FolderMailer):
        log.warning(
            "mail.not_sent",
            reason="MONETA_SMTP_URL is not set: nobody gets a verification code or a reset link",
            kept_in=str(application.mailer.folder.absolute()),
        )


def warm_up_houses() -> None:
    """Warms up every house. Blocks."""
    for house in DOMAINS:
        house.warm_up()


async def run_houses(application: Application, stack: contextlib.AsyncExitStack) -> None:
    """Begins what every process of the houses runs; it ends with the stack. Raises Unavailable."""
    for house in DOMAINS:
        await stack.enter_async_context(house.running(application.services[house.services]))


async def serve(settings: Settings) -> None:
    """Serves the API until SIGINT or SIGTERM."""
    configure_logging(settings)
    async with open_application(settings) as application:
        await check_production(application)
        hub = Hub(broadcast_over(application.redis), application.events, memory_limit=settings.stream_memory_limit)
        rpc = ProcessRpc(application.redis)
        runtime = build_runtime(application, hub, rpc)
        async with contextlib.AsyncExitStack() as stack:
            await run_houses(application, stack)
            await hub.start()
            stack.push_async_callback(hub.stop)
            stack.callback(runtime.subscriptions.stop)
            stack.push_async_callback(rpc.stop)
            await rpc.start()
            pulse = asyncio.create_task(
                build_pulse(application.services, application.events, application.clock, hub).run()
            )
            stack.push_async_callback(end, pulse)
            warming = asyncio.create_task(asyncio.to_thread(warm_up_houses))
            stack.callback(warming.cancel)
            stack.push_async_callback(runtime.sessions.stop)
            await runtime.sessions.start()
            sockets, streams = SocketEndpoint(runtime), EventStreams(runtime)
            app = create_app(runtime, sockets=sockets, stream=streams)
            await serve_app(app, settings, stopping=(streams.close, sockets.close))
