"""Adopting the users and projects of a database without tenants."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from app.domains.campaigns.adoption.model import (
    PROJECTS,
    REFERRALS,
    USER_PROJECTS,
    USERS,
    WALLETS,
    AdoptedParticipation,
    AdoptedProject,
    AdoptedUser,
    AdoptionReport,
    Totals,
)
from app.domains.campaigns.adoption.rules import (
    Row,
    adopted_id,
    circular,
    doubled,
    participation_of,
    project_of,
    user_of,
)
from app.domains.campaigns.adoption.statements import AdoptionSql
from app.domains.campaigns.participants.rules import stored_attributes
from app.domains.campaigns.participants.services.participants import new_code
from app.domains.campaigns.participations.model import PointReason
from app.domains.campaigns.participations.statements import PointSql
from app.domains.campaigns.projects.model import stored_distribution
from app.domains.campaigns.projects.rules import claim_amount
from app.domains.campaigns.projects.services.projects import new_key
from app.domains.campaigns.projects.statements import ProjectSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, system_scope
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import Unavailable

R = TypeVar("R")
T = TypeVar("T")
Progress: TypeAlias = Callable[[str, int, int], None]
"""What is done, how much of it, and how much there is."""

BATCH: Final = 500
_ATTEMPTS: Final = 5
_NOTE: Final = "Brought along."
_TAKEN: Final = "Another participant of the tenant has this ID or code."


@dataclass(frozen=True)
class Adoption:
    """Adopts rows, batch by batch, each in one transaction. IDs follow from those of the rows, and what is there stays
    as it is: a run that was interrupted is run again, and a second one changes nothing.
    """

    database: Database
    clock: Clock
    access: Access

    async def run(
        self, tenancy: Tenancy | None, tables: Mapping[str, Callable[[], Iterator[Row]]], progress: Progress
    ) -> AdoptionReport:
        """Adopts users, projects, and what users take part in. `tenancy`: of an owner of the tenant; None: nothing is
        stored, and only the rows are looked at. Raises NotFound, Forbidden, TenantNotActive.
        """
        run = _Run(self, tenancy, progress)
        users = run.users(tables[USERS]())
        projects = [each for row in run.found(PROJECTS, tables[PROJECTS]()) if (each := project_of(row, run.report))]
        rows = tables[USER_PROJECTS]() if USER_PROJECTS in tables else iter(())
        parts = run.parts(rows, users, projects)
        if tenancy is None:
            run.report.adopted.update({USERS: len(users), PROJECTS: len(projects), USER_PROJECTS: len(parts)})
            return run.report
        await run.store_users(users)
        await run.store_projects(projects)
        await run.store_parts(parts)
        await run.compare(users, projects, parts)
        return run.report


@dataclass
class _Run:
    """One run."""

    adoption: Adoption
    tenancy: Tenancy | None
    progress: Progress
    report: AdoptionReport = field(default_factory=AdoptionReport)

    def found(self, what: str, rows: Iterator[Row]) -> Iterator[Row]:
        """The same rows, counted."""
        for row in rows:
            self.report.found[what] += 1
            yield row

    def users(self, rows: Iterator[Row]) -> list[AdoptedUser]:
        """The users that can be adopted, with who has referred them. Of those with the same ID, the first."""
        made = [each for row in self.found(USERS, rows) if (each := user_of(row, self.report))]
        for name in ("telegram_id", "discord_id"):
            second = doubled([(each, getattr(each.new, name)) for each in made])
            for each in made:
                if (first := second.get(each.source_id)) is not None:
                    self.report.refuse(USERS, each.source_id, f"{name}: the user {first.source_id} has it.")
            made = [each for each in made if each.source_id not in second]
        codes = doubled([(each, each.new.referral_code) for each in made])
        self.report.notes["users.referral_code: another user has it, drawn again"] += len(codes)
        return self._referred([_without_code(each) if each.source_id in codes else each for each in made])

    def _referred(self, users: list[AdoptedUser]) -> list[AdoptedUser]:
        known = {each.source_id for each in users}
        referrers = {each.source_id: each.referred_by for each in users if each.referred_by is not None}
        self.report.found[REFERRALS] = len(referrers)
        absent = {id for id, referrer in referrers.items() if referrer not in known}
        circles = circular({id: referrer for id, referrer in referrers.items() if id not in absent})
        for id, referrer in referrers.items():
            if id in absent:
                self.report.refuse(REFERRALS, id, f"There is no user {referrer}, or they are not adopted.")
            elif id in circles:
                self.report.refuse(REFERRALS, id, "They are referred by themselves, if only by way of others.")
        wrong = absent | circles
        return [msgspec.structs.replace(each, referred_by=None) if each.source_id in wrong else each for each in users]

    def parts(
        self, rows: Iterator[Row], users: Sequence[AdoptedUser], projects: Sequence[AdoptedProject]
    ) -> list[AdoptedParticipation]:
        """What adopted users take part in: adopted projects, each once."""
        made = [each for row in self.found(USER_PROJECTS, rows) if (each := participation_of(row, self.report))]
        people, places = {each.source_id for each in users}, {each.source_id for each in projects}
        seen: set[tuple[UUID, UUID]] = set()
        kept = []
        for each in sorted(made, key=lambda each: (each.joined_at, each.source_id)):
            reason = None
            if each.user_id not in people or each.project_id not in places:
                reason = "Its user or its project is not adopted."
            elif (each.user_id, each.project_id) in seen:
                reason = "The user takes part in the project already."
            if reason is not None:
                self.report.refuse(USER_PROJECTS, each.source_id, reason)
                continue
            seen.add((each.user_id, each.project_id))
            kept.append(each)
        return kept

    async def store_users(self, users: list[AdoptedUser]) -> None:
        """Stores users, and then who has referred whom."""
        gone: set[UUID] = set()
        async for batch in self._batches(USERS, users):
            gone |= await self._write(self._participants, batch)
        for each in users:
            if each.source_id in gone:
                self.report.refuse(USERS, each.source_id, _TAKEN)
        users[:] = [each for each in users if each.source_id not in gone]
        referred = [each for each in users if each.referred_by is not None and each.referred_by not in gone]
        async for part in self._batches(REFERRALS, referred):
            await self._write(self._referrals, part)

    async def store_projects(self, projects: list[AdoptedProject]) -> None:
        """Stores projects, each with its wallet."""
        async for batch in self._batches(PROJECTS, projects):
            await self._write(self._projects, batch)

    async def store_parts(self, parts: list[AdoptedParticipation]) -> None:
        """Stores what users take part in, and counts it. Of users that have turned out to be others', nothing."""
        async for batch in self._batches(USER_PROJECTS, parts):
            await self._write(self._participations, batch)

    async def compare(
        self,
        users: Sequence[AdoptedUser],
        projects: Sequence[AdoptedProject],
        parts: Sequence[AdoptedParticipation],
    ) -> None:
        """Compares what the tenant has now with what was found and refused."""
        ids = [[self._id(each.source_id) for each in rows] for rows in (users, projects, parts)]
        now = await self._write(self._totals, ids)
        self.report.adopted.update({USERS: now.participants, PROJECTS: now.projects, USER_PROJECTS: now.participations})
        self.report.adopted[f"{USERS}.{WALLETS}"] = now.wallets
        self.report.adopted[f"{PROJECTS}.{WALLETS}"] = now.project_wallets
        self.report.adopted[REFERRALS] = now.referrals
        refused = Counter(each.what for each in self.report.refused)
        for what in (USERS, PROJECTS, USER_PROJECTS):
            self._agree(f"{what}: found", self.report.found[what], self.report.adopted[what] + refused[what])
        self._agree_within(now)
        counted = sum(each.total_referrals for each in users)
        self.report.notes["users.total_referrals: counted anew, off by"] += abs(counted - now.referrals_counted)

    def _agree_within(self, now: Totals) -> None:
        self._agree("referrals, and what is counted of them", now.referrals, now.referrals_counted)
        self._agree("participants of projects, and what is counted of them", now.active, now.active_counted)
        self._agree("points, and their entries", now.points, now.entries)

    def _agree(self, what: str, one: int, other: int) -> None:
        if one != other:
            self.report.differences.append(f"{what}: {one:,} and {other:,}")

    async def _totals(self, tx: Tx, ids: Sequence[Sequence[UUID]]) -> Totals:
        [now] = await tx.fetch(AdoptionSql.totals, *self._place(), *ids)
        return now

    async def _participants(self, tx: Tx, users: Sequence[AdoptedUser]) -> set[UUID]:
        """Returns the users that are not there afterwards."""
        ids = {self._id(each.source_id): each for each in users}
        columns = zip(*(_columns(id, each) for id, each in ids.items()), strict=True)
        new = set(await tx.fetch(AdoptionSql.adopt_participants, *self._place(), *map(list, columns)))
        there = set(await tx.fetch(AdoptionSql.adopted_participants, *self._place(), list(ids)))
        self.report.stored[USERS] += len(new)
        rows = [
            (id, str(wallet.network), wallet.address, wallet.allows_off_curve, each.created_at)
            for id, each in ids.items()
            if id in new
            for wallet in each.new.wallets
        ]
        if rows:
            wallets = map(list, zip(*rows, strict=True))
            self.report.stored[f"{USERS}.{WALLETS}"] += len(
                await tx.fetch(AdoptionSql.adopt_wallets, *self._place(), *wallets)
            )
        return {each.source_id for id, each in ids.items() if id not in there}

    async def _referrals(self, tx: Tx, users: Sequence[AdoptedUser]) -> None:
        pairs = {self._id(each.source_id): self._id(each.referred_by) for each in users if each.referred_by}
        done = await tx.fetch(AdoptionSql.adopt_referrals, *self._place(), list(pairs), list(pairs.values()))
        counts = sorted(Counter(referrer for _, referrer in done).items())
        await tx.execute(AdoptionSql.count_referrals, [id for id, _ in counts], [number for _, number in counts])
        self.report.stored[REFERRALS] += len(done)

    async def _projects(self, tx: Tx, projects: Sequence[AdoptedProject]) -> None:
        ids = [self._id(each.source_id) for each in projects]
        there = {id for id, _ in await tx.fetch(AdoptionSql.adopted_projects, *self._place(), ids)}
        for each in projects:
            if (id := self._id(each.source_id)) in there:
                continue
            await self._project(tx, id, each)
            self.report.stored[PROJECTS] += 1
            if each.wallet is None:
                continue
            row = id, *self._place(), each.terms.network, each.wallet, False, each.created_at
            if await tx.fetch_one(ProjectSql.insert_wallet, *row) is None:
                self.report.refuse(f"{PROJECTS}.{WALLETS}", each.source_id, "Another project pays from it.")
            else:
                self.report.stored[f"{PROJECTS}.{WALLETS}"] += 1

    async def _project(self, tx: Tx, id: UUID, project: AdoptedProject) -> None:
        terms = project.terms
        for attempt in range(_ATTEMPTS):
            key = project.key if project.key is not None and attempt == 0 else new_key()
            row = id, *self._place(), key, project.created_at, terms.name, terms.description, terms.network
            token = terms.token_name, terms.token_symbol, terms.token_address, terms.token_decimals, terms.total_supply
            claims = stored_distribution(terms.distribution), claim_amount(terms.distribution)
            limits = terms.max_participants, terms.max_claims_per_participant
            states = terms.is_active, terms.is_public, terms.starts_at, terms.ends_at
            if await tx.fetch_one(AdoptionSql.adopt_project, *row, *token, *claims, *limits, *states) is not None:
                self.report.notes["projects.project_key: another project has it, drawn again"] += attempt > 0
                return
        raise Unavailable

    async def _participations(self, tx: Tx, parts: Sequence[AdoptedParticipation]) -> None:
        people = [self._id(each.user_id) for each in parts]
        there = set(await tx.fetch(AdoptionSql.adopted_participants, *self._place(), people))
        for each in parts:
            if self._id(each.user_id) not in there:
                self.report.refuse(USER_PROJECTS, each.source_id, "Its user or its project is not adopted.")
                continue
            id, project = self._id(each.source_id), self._id(each.project_id)
            row = id, *self._place(), project, self._id(each.user_id), each.status, each.verification_status
            if await tx.fetch_one(AdoptionSql.adopt_participation, *row, each.joined_at, each.updated_at) is None:
                continue
            self.report.stored[USER_PROJECTS] += 1
            level = 1
            if each.points:
                entry = self._id(id), PointReason.CORRECTION, _NOTE, None, None, each.updated_at
                [standing] = await tx.fetch(PointSql.add_points, id, each.points, *entry)
                level = standing.level
            self.report.notes["user_projects.level: follows from the points, is another"] += level != each.level
            if each.status == "active":
                await tx.execute(PointSql.count, *self._place(), project, id, 1, 0)

    async def _batches(self, what: str, rows: Sequence[R]) -> AsyncIterator[Sequence[R]]:
        for start in range(0, len(rows), BATCH):
            self.progress(what, start, len(rows))
            yield rows[start : start + BATCH]
        self.progress(what, len(rows), len(rows))

    async def _write(self, work: Callable[[Tx, R], Awaitable[T]], given: R) -> T:
        tenancy = self._acting()

        async def write(tx: Tx) -> T:
            await self.adoption.access.check(tx, tenancy, MemberRole.OWNER)
            # What is counted of a run that collides is not counted twice.
            before = msgspec.msgpack.encode([self.report.stored, self.report.notes]), len(self.report.refused)
            try:
                return await work(tx, given)
            except BaseException:
                stored, notes = msgspec.msgpack.decode(before[0])
                self.report.stored, self.report.notes = Counter(stored), Counter(notes)
                del self.report.refused[before[1] :]
                raise

        return await self.adoption.database.write(system_scope(tenancy), write)

    def _acting(self) -> Tenancy:
        assert self.tenancy is not None
        return self.tenancy

    def _place(self) -> tuple[UUID, bool]:
        return self._acting().tenant_id, self._acting().livemode

    def _id(self, source_id: UUID) -> UUID:
        return adopted_id(*self._place(), source_id)


def _without_code(user: AdoptedUser) -> AdoptedUser:
    return msgspec.structs.replace(user, new=msgspec.structs.replace(user.new, referral_code=None))


def _columns(id: UUID, user: AdoptedUser) -> tuple[Any, ...]:
    new = user.new
    names = ("telegram_id", "discord_id", "username", "first_name", "last_name", "email", "locale", "time_zone")
    return (
        id,
        user.created_at,
        user.last_active_at,
        *(getattr(new, each) for each in names),
        new.has_notifications,
        msgspec.json.encode(stored_attributes(new.attributes)).decode(),
        new.is_active,
        new.is_verified,
        new.referral_code or new_code(),
    )
