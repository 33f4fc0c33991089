"""The demo data: three people with wallets, a chain of their payments, a market, access codes that nobody has used."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from rich.progress import Progress

from app.dev.demo_chain import load_demo_chain
from app.dev.demo_market import load_demo_market
from app.dev.demo_prices import Extent
from app.domains.accounts.model import Client, NewUser, Role, Viewer
from app.domains.ledger.loaders import wallet_by_user
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, Database
from app.kit.loading import Reads
from app.schema.services import Services

PASSWORD = "correct-horse-battery"  # noqa: S105  # published: it opens demo accounts only
ACCESS_CODE = "BITCOIN2025"
FURTHER_CODES = tuple(f"MONETA-DEMO-{number:02}" for number in range(1, 11))


class Login(NamedTuple):
    """A demo user."""

    label: str
    email: str
    full_name: str
    role: Role


LOGINS = (
    Login("Alice", "alice@example.com", "Alice Nakamoto", Role.USER),
    Login("Bob", "bob@example.com", "Bob Finney", Role.USER),
    Login("Admin", "admin@example.com", "Ada Admin", Role.ADMIN),
)


async def load_demo(
    services: Services, database: Database, clock: FixedClock, progress: Progress, extent: Extent
) -> None:
    """Loads what is missing of the demo data. `clock` is the services' own, and stands somewhere else meanwhile.

    What is loaded already is left alone: what people have removed since stays removed.
    """
    began = clock.now()
    people = [await _person(services, login, began) for login in LOGINS]
    alice, bob, *_ = people
    await services.accounts.administration.add_access_codes([ACCESS_CODE, *FURTHER_CODES])
    with _told(progress, "demo chain") as told:
        is_new = await load_demo_chain(services.ledger, database, clock, people, told)
    if is_new:
        wallet = await Reads(database, PUBLIC).one(wallet_by_user, bob.user_id)
        assert wallet is not None
        await services.ledger.beneficiaries.add(alice, wallet.wallet_id, "Bob Finney", "Bob", "demo-beneficiary-bob")
    with _told(progress, "demo market") as told:
        await load_demo_market(services.market, database, clock, (alice, bob), extent=extent, progressed=told)


@contextmanager
def _told(progress: Progress, what: str) -> Iterator[Callable[[int, int], None]]:
    task = progress.add_task(what, total=None)
    try:
        yield lambda done, total: progress.update(task, completed=done, total=total)
    finally:
        progress.remove_task(task)


async def _person(services: Services, login: Login, now: datetime) -> Viewer:
    known = await services.accounts.users.by_email(login.email)
    user_id: UUID
    if known is None:
        new = NewUser(
            email=login.email, password=PASSWORD, full_name=login.full_name, display_name=login.full_name.split()[0]
        )
        user_id = await services.accounts.registration.create(new, login.role, Client())
    else:
        user_id = known.id
    return Viewer(user_id, uuid4(), login.role, True, now + timedelta(hours=1), Client())
