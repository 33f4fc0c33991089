"""Maintenance of a deployment, from the command line."""

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from rich.progress import Progress

from app.domains.accounts.model import Account, AuditVerdict, Client, Role, Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.adoption.model import LEFT, NEEDED, USER_PROJECTS, AdoptionReport, HasTenants, NotTheOwner
from app.domains.campaigns.analytics.model import ArchiveVerdict
from app.domains.campaigns.services import CampaignsServices
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.replay import Replay, ReplayReport
from app.domains.market.prices.services.importer import Imported, Importer
from app.domains.market.services import MarketServices
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import MemberRole, NewTenant, Tenancy
from app.domains.trading.portfolios.model import BooksReport
from app.domains.trading.services import TradingServices
from app.kit.data_checks import DataDoctor, DataReport, Progressed
from app.kit.errors import NotFound
from app.kit.migrate import migrate as migrate_database
from app.kit.table_copies import copy_tables
from app.main import DOMAINS, Application, database_url, open_application
from app.settings import Settings


async def migrate(settings: Settings) -> None:
    """Brings the database to the newest revision."""
    await migrate_database(database_url(settings))


async def create_admin(settings: Settings, email: str, full_name: str, password: str) -> str:
    """Creates a verified admin, or makes an existing user one; says which."""
    async with open_application(settings) as application:
        return await application.services[AccountsServices].administration.create_admin(email, full_name, password)


async def rotate_keys(settings: Settings, progress: Progress) -> int:
    """Moves every wallet key, and all credentials of exchanges, to the active key-encryption key; returns how many.
    Keys of the wallets of projects as well.
    """
    moved = 0
    async with open_application(settings) as application:
        await application.services[AccountsServices].administration.rewrap_national_ids()
        task = progress.add_task("moving wallet keys", total=None)
        async for rotation in application.services[LedgerServices].keys.rotate():
            moved = rotation.rewrapped
            progress.update(task, completed=rotation.rewrapped, total=rotation.total)
        credentials = 0
        async for credentials in application.services[TradingServices].exchange_accounts.rotate():
            progress.update(task, completed=moved + credentials)
        moved += credentials
        keys = 0
        async for keys in application.services[CampaignsServices].project_wallets.rotate():
            progress.update(task, completed=moved + keys)
    return moved + keys


async def new_epoch(settings: Settings) -> UUID:
    """Begins an epoch of the event streams: cursors and open subscriptions of the one before are refused."""
    async with open_application(settings) as application:
        return await application.events.renew_epoch()


async def import_history(
    settings: Settings, file: Path, exchange: str | None, progress: Progress, *, skip_bad: bool
) -> Imported:
    """Imports candles from a file."""
    async with open_application(settings) as application:
        market = application.services[MarketServices]
        await market.tokens.ensure()
        importer = Importer(
            application.database, application.clock, market.history, exchange or market.providers.prices.name
        )
        task = progress.add_task(file.name, total=None)
        return await importer.run(
            file, lambda done, total: progress.update(task, completed=done, total=total), skip_bad=skip_bad
        )


class Adopter(NamedTuple):
    """Which tenant adopts, and whose it is."""

    slug: str
    name: str
    owner: str
    """An e-mail address."""


async def adopt_tenant(
    settings: Settings, schema: str, adopter: Adopter, progress: Progress, *, dry_run: bool
) -> AdoptionReport:
    """Adopts the tables of a database without tenants, which are in a schema of their own. Raises NoSuchTable,
    HasTenants, NotTheOwner, NotFound.
    """
    task = progress.add_task("reading", total=None)
    copies = await copy_tables(database_url(settings), schema, NEEDED, (USER_PROJECTS, *LEFT))
    for name in NEEDED:
        if "tenant_id" in next(copies[name].rows(), {}):
            raise HasTenants
    async with open_application(settings) as application:
        tenancy = await _tenancy_of(application, adopter, dry_run=dry_run)
        report = await application.services[CampaignsServices].adoption.run(
            tenancy,
            {name: copy.rows for name, copy in copies.items()},
            lambda what, done, total: progress.update(task, description=what, completed=done, total=total),
        )
    report.left = {name: copies[name].count() for name in LEFT if name in copies}
    return report


async def _tenancy_of(application: Application, adopter: Adopter, *, dry_run: bool) -> Tenancy | None:
    """The owner's part in the tenant, which is created if there is none; None where nothing is to be stored."""
    account = await application.services[AccountsServices].users.by_email(adopter.owner)
    if account is None:
        raise NotFound(Account, f"There is no user {adopter.owner}. `create-admin` makes one.")
    if dry_run:
        return None
    tenancy, client = application.services[TenancyServices], Client()
    until = application.clock.now() + timedelta(hours=1)
    owner = Viewer(account.id, uuid4(), Role.USER, True, until, client)
    found = await tenancy.access.tenancy(account.id, adopter.slug, client)
    if found is None:
        new = NewTenant(slug=adopter.slug, name=adopter.name, email=adopter.owner)
        await tenancy.tenants.create(owner, new, f"adopt {uuid4()}")
        found = await tenancy.access.tenancy(account.id, adopter.slug, client)
    if found is None or found.role is not MemberRole.OWNER:
        raise NotTheOwner
    return found


async def doctor_chain(settings: Settings, progress: Progress) -> ReplayReport:
    """Replays the chain."""
    async with open_application(settings) as application:
        task = progress.add_task("replaying blocks", total=None)
        replay = Replay(application.database)
        return await replay.run(lambda done, total: progress.update(task, completed=done, total=total))


async def doctor_audit(settings: Settings) -> list[AuditVerdict]:
    """Checks the audit log's hash chain, and then the changes of orders, whose seals are in it."""
    async with open_application(settings) as application:
        return [
            await application.services[AccountsServices].audit.verify(),
            await application.services[TradingServices].seals.verify(),
        ]


async def doctor_books(settings: Settings, progress: Progress) -> BooksReport:
    """Compares the journal with what is kept beside it."""
    async with open_application(settings) as application:
        progressed = _progressed(progress, "comparing the books")
        return await application.services[TradingServices].books.check(progressed)


async def doctor_data(settings: Settings, progress: Progress, *, repairs: bool) -> DataReport:
    """Looks for rows without a parent and for counters that differ; mends those counters if `repairs`."""
    async with open_application(settings) as application:
        doctor = DataDoctor(application.database, [each for house in DOMAINS for each in house.counters])
        progressed = _progressed(progress, "checking the data")
        report = await doctor.check(progressed)
        return await doctor.repair(report, progressed) if repairs else report


async def doctor_archives(settings: Settings, progress: Progress) -> list[ArchiveVerdict]:
    """Reads the archives of events of projects, and compares them with their manifests."""
    async with open_application(settings) as application:
        progressed, verdicts = _progressed(progress, "reading archives"), list[ArchiveVerdict]()
        async for done, total, verdict in application.services[CampaignsServices].archives.check():
            verdicts.append(verdict)
            progressed(verdict.month, done, total)
        return verdicts


def _progressed(progress: Progress, what: str) -> Progressed:
    task = progress.add_task(what, total=None)
    return lambda what, done, total: progress.update(task, description=what, completed=done, total=total)
