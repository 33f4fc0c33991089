"""No history of joins, bans, completions, points, links and erasures makes anything untrue, or is seen elsewhere.

MONETA_HISTORIES says how many there are; without it, a few.
"""

import asyncio
import os
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.domains.campaigns.participants.model import (
    AlreadyLinked,
    NotLinked,
    ParticipantChanges,
    ParticipantErased,
)
from app.domains.campaigns.participations.model import VerificationStatus
from app.domains.campaigns.projects.model import ProjectArchived
from app.kit.errors import NotFound
from tests.domains.campaigns.fair import Fair
from tests.domains.campaigns.participations.histories.expected import Part, Person, Project, Side
from tests.domains.campaigns.participations.histories.world import KINDS, World
from tests.domains.ledger.scene import Scene

HISTORIES = int(os.environ.get("MONETA_HISTORIES", "5"))
STEPS = 40
PHASES = [Phase.generate, Phase.shrink] if "MONETA_HISTORIES" in os.environ else [Phase.generate]
"""To find the shortest history takes minutes."""

SIDES = st.integers(0, 3)
NUMBERS = st.integers(0, 5)
"""Of a person or a participation, around."""
PROJECTS = st.sampled_from([0, 0, 1])
USERS = st.integers(0, 2)
BY = st.sampled_from([None, None, 0, 1, 2])
"""A user, or the tenant."""
OFTEN = st.sampled_from([True, True, True, False])
AGAIN = st.booleans()
AMOUNTS = st.sampled_from([-500, -60, -10, -1, 1, 9, 10, 60, 500])
THRESHOLDS = st.sampled_from([[], [10], [10, 25, 60], [100, 250, 500], [5, 10, 20, 35, 60, 95]])


class Histories(RuleBasedStateMachine):
    """The rules run in a thread; `run` takes a coroutine to the loop that the database belongs to."""

    world: World

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        raise NotImplementedError

    def person(self, side: Side, number: int) -> Person:
        return side.people[number % len(side.people)]

    def part(self, side: Side, project: Project, number: int) -> Part | None:
        parts = list(project.parts.values())
        return parts[number % len(parts)] if parts else None

    @initialize()
    def begin(self) -> None:
        self.run(self.world.begin())

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, again=AGAIN)
    def join(self, at: int, project: int, number: int, again: bool) -> None:
        side = self.world.sides[at]
        where, person = side.projects[project], self.person(side, number)

        async def join(key: str) -> UUID:
            return await self.world.services.joining.join(side.tenancy, where.key, person.id, key)

        self.run(self.world.do(where.join(person), join, side.key, side, again=again))

    @rule(at=SIDES, number=NUMBERS)
    def join_another(self, at: int, number: int) -> None:
        self.join(at, project=0, number=number, again=False)

    @rule(at=st.sampled_from([0, 0, 2, 1]), project=PROJECTS, user=USERS, again=AGAIN)
    def join_oneself(self, at: int, project: int, user: int, again: bool) -> None:
        side = self.world.sides[at]
        self.run(self.world.join_self(side, side.projects[project], user, again=again))

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, user=BY, again=AGAIN)
    def leave(self, at: int, project: int, number: int, user: int | None, again: bool) -> None:
        side, world = self.world.sides[at], self.world
        where = side.projects[project]
        if (part := self.part(side, where, number)) is None:
            return

        async def leave(key: str) -> UUID:
            return await world.services.participations.leave(world.caller(side, user), part.id, key)

        plan = world.seen(part, user, where.leave(part))
        self.run(world.do(plan, leave, world.key(side, user), side if user is None else None, again=again))

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, ends=AGAIN, again=AGAIN)
    def ban(self, at: int, project: int, number: int, ends: bool, again: bool) -> None:
        side = self.world.sides[at]
        where = side.projects[project]
        if (part := self.part(side, where, number)) is None:
            return

        async def ban(key: str) -> UUID:
            if ends:
                return await self.world.services.joining.unban(side.tenancy, part.id, key)
            return await self.world.services.participations.ban(side.tenancy, part.id, "Spam", key)

        plan = where.unban(part) if ends else where.ban(part)
        self.run(self.world.do(plan, ban, side.key, side, again=again))

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, status=st.sampled_from(VerificationStatus))
    def verify(self, at: int, project: int, number: int, status: VerificationStatus) -> None:
        side = self.world.sides[at]
        if (part := self.part(side, side.projects[project], number)) is not None:
            self.run(self.world.verify(side, side.projects[project], part, status))

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, amount=AMOUNTS, again=AGAIN)
    def adjust(self, at: int, project: int, number: int, amount: int, again: bool) -> None:
        side = self.world.sides[at]
        if (part := self.part(side, side.projects[project], number)) is not None:
            self.run(self.world.adjust(side, side.projects[project], part, amount, again=again))

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, data=st.data(), user=BY)
    def complete(self, at: int, project: int, number: int, data: st.DataObject, user: int | None) -> None:
        side = self.world.sides[at]
        where = side.projects[project]
        if (part := self.part(side, where, number)) is None:
            return
        # Now and then a task of the other project.
        of = where if data.draw(OFTEN) else side.projects[1 - project]
        task = of.tasks[data.draw(st.integers(0, len(KINDS) - 1))]
        wrong, again, paid = data.draw(AGAIN), data.draw(AGAIN), data.draw(st.integers(0, 3))
        self.run(self.world.complete(side, where, part, task, user, wrong=wrong, paid=paid, again=again))

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, user=st.sampled_from([None, None, 1, 2]), paid=st.integers(0, 3))
    def complete_another(self, at: int, project: int, number: int, user: int | None, paid: int) -> None:
        side = self.world.sides[at]
        where = side.projects[project]
        if (part := self.part(side, where, number)) is not None:
            task = where.tasks[(number + paid) % len(KINDS)]
            self.run(self.world.complete(side, where, part, task, user, wrong=False, paid=paid, again=False))

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, which=NUMBERS, data=st.data())
    def review(self, at: int, project: int, number: int, which: int, data: st.DataObject) -> None:
        side = self.world.sides[at]
        part = self.part(side, side.projects[project], number)
        if part is not None and part.done:
            done = part.done[which % len(part.done)]
            accepted, noted = data.draw(OFTEN), data.draw(AGAIN)
            work = self.world.review(side, side.projects[project], part, done, accepted=accepted, noted=noted)
            self.run(work)

    @rule(at=SIDES, project=PROJECTS, thresholds=THRESHOLDS)
    def set_levels(self, at: int, project: int, thresholds: list[int]) -> None:
        side = self.world.sides[at]
        where = side.projects[project]

        def changed(_: Any) -> None:
            where.thresholds = thresholds

        plan = ProjectArchived if where.is_archived else changed
        set_levels = self.world.services.points.set_levels
        self.run(self.world.do(plan, lambda _: set_levels(side.tenancy, where.id, thresholds), ""))

    @rule(at=SIDES, project=PROJECTS)
    def level(self, at: int, project: int) -> None:
        where, level = self.world.sides[at].projects[project], self.world.services.points.level
        self.run(self.world.do(lambda _: where.relevel(), lambda _: level({"project_id": str(where.id)}), ""))

    @rule(at=SIDES, project=PROJECTS, is_active=OFTEN)
    def pause(self, at: int, project: int, is_active: bool) -> None:
        side = self.world.sides[at]
        self.run(self.world.pause(side, side.projects[project], is_active=is_active))

    @rule(at=SIDES, project=PROJECTS, which=NUMBERS, points=st.sampled_from([0, 7, 300]), is_active=OFTEN)
    def define(self, at: int, project: int, which: int, points: int, is_active: bool) -> None:
        side = self.world.sides[at]
        where = side.projects[project]
        self.run(self.world.define(side, where, where.tasks[which % len(KINDS)], points, is_active=is_active))

    @rule(at=SIDES, project=PROJECTS, is_due=st.sampled_from([False, False, False, True]))
    def archive(self, at: int, project: int, is_due: bool) -> None:
        side = self.world.sides[at]
        where = side.projects[project]
        if is_due and not where.is_archived:

            def archived(_: Any) -> None:
                where.is_archived = True

            archive = self.world.services.projects.archive
            self.run(self.world.do(archived, lambda _: archive(side.tenancy, where.id), ""))

    @rule(at=SIDES, number=NUMBERS, user=USERS)
    def link(self, at: int, number: int, user: int) -> None:
        side, links = self.world.sides[at], self.world.services.links
        person, who = self.person(side, number), self.world.users[user]

        async def link(_: str) -> UUID:
            return await links.link(who, (await links.issue(side.tenancy, person.id)).token)

        def linked(_: Any) -> None:
            person.user = who.user_id

        plan: Any = AlreadyLinked if person.user or side.person_of(who.user_id) else linked
        self.run(self.world.do(ParticipantErased if person.is_erased else plan, link, ""))

    @rule(at=SIDES, number=NUMBERS, user=BY)
    def unlink(self, at: int, number: int, user: int | None) -> None:
        side, links = self.world.sides[at], self.world.services.links
        person = self.person(side, number)

        async def unlink(_: str) -> None:
            if user is None:
                return await links.unlink(side.tenancy, person.id)
            return await links.unlink_self(self.world.users[user], person.id)

        def unlinked(_: Any) -> None:
            person.user = None

        if user is None:
            plan: Any = NotLinked if person.user is None else unlinked
        else:
            plan = unlinked if person.user == self.world.users[user].user_id else NotFound
        self.run(self.world.do(plan, unlink, ""))

    @rule(at=SIDES, number=NUMBERS, is_due=st.sampled_from([False, False, True]))
    def erase(self, at: int, number: int, is_due: bool) -> None:
        side = self.world.sides[at]
        person = self.person(side, number)
        if is_due:

            def erased(_: Any) -> None:
                person.user, person.is_active, person.is_erased = None, False, True

            erase = self.world.services.erasure.erase
            self.run(self.world.do(erased, lambda _: erase(side.tenancy, person.id), ""))

    @rule(at=SIDES, number=NUMBERS, is_active=OFTEN)
    def deactivate(self, at: int, number: int, is_active: bool) -> None:
        side = self.world.sides[at]
        person = self.person(side, number)

        def changed(_: Any) -> None:
            person.is_active = is_active

        update, changes = self.world.services.participants.update, ParticipantChanges(is_active=is_active)
        plan = ParticipantErased if person.is_erased else changed
        self.run(self.world.do(plan, lambda _: update(side.tenancy, person.id, changes), ""))

    @rule(hours=st.sampled_from([0.5, 1, 2]))
    def wait(self, hours: float) -> None:
        self.world.fair.office.clock.advance(timedelta(hours=hours))

    @rule(number=st.integers(0, 100))
    def replay(self, number: int) -> None:
        self.run(self.world.replay(number))

    @rule(at=SIDES, project=PROJECTS, number=NUMBERS, which=st.integers(0, 100))
    def reuse(self, at: int, project: int, number: int, which: int) -> None:
        side = self.world.sides[at]
        if (part := self.part(side, side.projects[project], number)) is not None:
            self.run(self.world.reuse(side, part, which))

    @rule(at=SIDES, other=SIDES, project=PROJECTS, number=NUMBERS, which=st.integers(0, 6))
    def write_elsewhere(self, at: int, other: int, project: int, number: int, which: int) -> None:
        """With the ID of another tenant, or of the other mode: there is nothing."""
        side, services = self.world.sides[other], self.world.services
        where = self.world.sides[at].projects[project]
        part = self.part(self.world.sides[at], where, number)
        if at == other or part is None:
            return
        by, own = side.tenancy, side.projects[project]
        calls = (
            lambda key: services.participations.leave(by, part.id, key),
            lambda key: services.participations.ban(by, part.id, "Spam", key),
            lambda key: services.joining.unban(by, part.id, key),
            lambda key: services.completions.complete(by, part.id, own.tasks[0].id, None, key),
            lambda key: services.joining.join(by, where.key, side.people[0].id, key),
            lambda key: services.joining.join(by, own.key, part.person.id, key),
            lambda key: services.erasure.erase(by, part.person.id),
        )
        self.run(self.world.do(NotFound, calls[which], side.key))


@pytest.mark.usefixtures("warm")
async def test_no_history_makes_anything_untrue(fair: Fair, scene: Scene) -> None:
    loop, made = asyncio.get_running_loop(), await World.made(fair, scene)

    class Over(Histories):
        world = made

        def run(self, work: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

    limits = settings(
        max_examples=HISTORIES,
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
        report_multiple_bugs=False,
        database=None,
        deadline=None,
    )
    await asyncio.to_thread(run_state_machine_as_test, Over, settings=limits)
