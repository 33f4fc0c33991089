"""A house: one part of the product, declared once, so that what runs it needs to know nothing else about it."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from prometheus_client.registry import Collector

from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring
from app.kit.crypto.passwords import Passwords
from app.kit.data_checks import Counter
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.hub import Hub
from app.kit.jobs import Job, Schedule
from app.kit.mail import Mailer
from app.kit.redis_client import Redis
from app.settings import Settings

S = TypeVar("S")
P = TypeVar("P")

Check: TypeAlias = Callable[[], Awaitable[object]]
"""Raises, or returns False, where something that a house needs does not work."""


@dataclass(frozen=True)
class Resources:
    """What every house may use. `secret` is what keys for signatures are derived from, each by its purpose."""

    settings: Settings
    secret: str
    database: Database
    redis: Redis
    clock: Clock
    events: EventLog
    mailer: Mailer
    keyring: Keyring
    passwords: Passwords


class Port(Generic[P]):
    """Something that a house needs and only another house has, which it may not know. The composition root fills it."""

    def __init__(self, name: str) -> None:
        self.name = name


class Services:
    """The services of the houses, by their type."""

    def __init__(self) -> None:
        self._by_type: dict[type[Any], Any] = {}

    def __getitem__(self, kind: type[S]) -> S:
        if kind not in self._by_type:
            raise LookupError(f"No house with {kind.__name__} has been built: it is missing, or it comes later")
        return cast(S, self._by_type[kind])

    def add(self, services: object) -> None:
        """Adds those of a house that has been built."""
        self._by_type[type(services)] = services


@dataclass(frozen=True)
class Wiring:
    """What a house is built from: the resources, the services of the houses that it knows, and its ports."""

    resources: Resources
    services: Services
    ports: "Mapping[Port[Any], Callable[[Wiring], Any]]"

    def port(self, port: Port[P]) -> P:
        """What fills the port. It may be taken while houses are built, and used once all are."""
        return cast(P, self.ports[port](self))


def _nothing(_: object) -> list[Any]:
    return []


async def _no_tasks(_: object, __: object) -> list[Any]:
    return []


def _nothing_to_warm() -> None:
    return None


def _nothing_to_follow(_: object, __: Hub) -> None:
    return None


async def _nothing_to_do(_: object) -> None:
    return None


def _nothing_around(_: object) -> AbstractAsyncContextManager[None]:
    return nullcontext()


class HouseMetrics(NamedTuple):
    """Metrics of a house: a collector, and what it reads before each scrape."""

    collector: Collector
    refresh: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, eq=False)
class House(Generic[S]):
    """What a house adds to Moneta. `build` wires its services; everything else is read from those."""

    name: str
    """Its folder below `app/domains` and `app/schema`."""
    build: Callable[[Wiring], S]
    services: type[S]
    knows: tuple["House[Any]", ...] = ()
    """The houses that it may import, and, through them, those that they know."""
    loaders: tuple[ModuleType, ...] = ()
    """The modules that declare its loaders."""
    jobs: Callable[[S], Sequence[Job]] = field(default=_nothing)
    """The kinds of jobs that it enqueues."""
    schedules: Callable[[S], Sequence[Schedule]] = field(default=_nothing)
    tasks: Callable[[Wiring, S], Awaitable[Sequence[Coroutine[Any, Any, None]]]] = field(default=_no_tasks)
    """What a worker runs for as long as it runs."""
    running: Callable[[S], AbstractAsyncContextManager[None]] = field(default=_nothing_around)
    """What servers and workers alike run for as long as they run: it is entered before either begins."""
    start: Callable[[S], Awaitable[None]] = field(default=_nothing_to_do)
    """What a worker does before its jobs."""
    warm_up: Callable[[], None] = field(default=_nothing_to_warm)
    """Imports slow modules in a server, so that the first caller does not wait for them. It runs in a thread."""
    follow: Callable[[S, Hub], None] = field(default=_nothing_to_follow)
    """Gives a server's hub to what hears of changes by it."""
    stop: Callable[[S], Awaitable[None]] = field(default=_nothing_to_do)
    """Ends what is under way in this process, and closes what is open."""
    checks: Callable[[Wiring, S], Mapping[str, Check]] = field(default=lambda _, __: {})
    """Services of others without which this process is not ready, by name."""
    metrics: Callable[[S], Sequence[HouseMetrics]] = field(default=_nothing)
    counters: tuple[Counter, ...] = ()
    """What it counts beside the rows that are counted."""


def build_houses(
    houses: Sequence[House[Any]], resources: Resources, ports: Mapping[Port[Any], Callable[[Wiring], Any]]
) -> Wiring:
    """Builds the houses in this order: each after those that it knows."""
    wiring = Wiring(resources, Services(), ports)
    for house in houses:
        wiring.services.add(house.build(wiring))
    return wiring


def jobs_of(houses: Sequence[House[Any]], services: Services) -> list[Job]:
    """The kinds of jobs that these houses enqueue."""
    return [job for house in houses for job in house.jobs(services[house.services])]


def schedules_of(houses: Sequence[House[Any]], services: Services) -> list[Schedule]:
    """The schedules of these houses."""
    return [schedule for house in houses for schedule in house.schedules(services[house.services])]
