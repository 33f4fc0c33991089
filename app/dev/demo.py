"""The demo data: three people with wallets, a chain of their payments, a market, portfolios, a back-test, a tenant with
projects, unused access codes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from rich.progress import Progress

from app.dev.demo_backtests import load_demo_backtest
from app.dev.demo_campaigns import load_demo_campaigns
from app.dev.demo_chain import load_demo_chain
from app.dev.demo_market import load_demo_market
from app.dev.demo_prices import DemoSize
from app.dev.demo_trading import load_demo_trading
from app.domains.accounts.model import Client, NewUser, Role, Viewer
from app.domains.accounts.rules.demo_credentials import ACCESS_CODES, EMAILS, PASSWORD
from app.domains.accounts.services import AccountsServices
from app.domains.ledger.loaders import wallet_by_user
from app.domains.ledger.services import LedgerServices
from app.domains.market.services import MarketServices
from app.domains.trading.services import TradingServices
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, Database
from app.kit.house import Services
from app.kit.reads import Reads


class Login(NamedTuple):
    """A demo user."""

    label: str
    email: str
    full_name: str
    role: Role


LOGINS = (
    Login("Alice", EMAILS[0], "Alice Nakamoto", Role.USER),
    Login("Bob", EMAILS[1], "Bob Finney", Role.USER),
    Login("Admin", EMAILS[2], "Ada Admin", Role.ADMIN),
)


async def load_demo(  # noqa: PLR0917  # seven different types: no two can be confused
    services: Services,
    database: Database,
    clock: FixedClock,
    progress: Progress,
    size: DemoSize,
    password: str = PASSWORD,
    codes: Sequence[str] = ACCESS_CODES,
) -> None:
    """Loads what is missing of the demo data. `clock` is the clock of the services. It shows other times meanwhile.

    What was loaded before is not changed: what users have removed since stays removed. In production give another
    password, and no codes.
    """
    began = clock.now()
    people = [await _person(services, login, began, password) for login in LOGINS]
    alice, bob, *_ = people
    await services[AccountsServices].administration.add_access_codes(codes)
    with _progress_reporter(progress, "demo chain") as report:
        is_new = await load_demo_chain(services[LedgerServices], database, clock, people, report)
    if is_new:
        wallet = await Reads(database, PUBLIC).one(wallet_by_user, bob.user_id)
        assert wallet is not None
        await services[LedgerServices].beneficiaries.add(
            alice, wallet.wallet_id, "Bob Finney", "Bob", "demo-beneficiary-bob"
        )
    with _progress_reporter(progress, "demo market") as report:
        await load_demo_market(services[MarketServices], database, clock, (alice, bob), size=size, progressed=report)
    with _progress_reporter(progress, "demo portfolios") as report:
        await load_demo_trading(services[TradingServices], database, clock, (alice, bob), size.days, report)
    await load_demo_backtest(services[TradingServices], alice)
    await load_demo_campaigns(services, clock, alice)


@contextmanager
def _progress_reporter(progress: Progress, what: str) -> Iterator[Callable[[int, int], None]]:
    task = progress.add_task(what, total=None)
    try:
        yield lambda done, total: progress.update(task, completed=done, total=total)
    finally:
        progress.remove_task(task)


async def _person(services: Services, login: Login, now: datetime, password: str) -> Viewer:
    known = await services[AccountsServices].users.by_email(login.email)
    user_id: UUID
    if known is None:
        new = NewUser(
            email=login.email, password=password, full_name=login.full_name, display_name=login.full_name.split()[0]
        )
        user_id = await services[AccountsServices].registration.create(new, login.role, Client())
    else:
        user_id = known.id
    return Viewer(user_id, uuid4(), login.role, True, now + timedelta(hours=1), Client())
