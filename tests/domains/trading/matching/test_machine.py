"""No history breaks portfolios, journal, orders and books together. The doctor's soak does the same, longer."""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from app.dev.soak import draws
from app.dev.soak.model import Action, Step
from app.dev.soak.world import World

RANDOMS = st.randoms(use_true_random=False)
AFTER_MS = st.sampled_from([0, 1, 200, 1_500, 5_000])
MATCHED = st.sampled_from([True, True, False])


class History(RuleBasedStateMachine):
    """Each step checks all that it touched, and the end everything."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.steps = 0

    def do(self, action: Action, after_ms: int, is_matched: bool = True) -> None:
        self.steps += 1
        self.world.do(Step(action, after_ms, is_matched))

    @rule(random=RANDOMS, after_ms=AFTER_MS, is_matched=MATCHED)
    def place(self, random: Random, after_ms: int, is_matched: bool) -> None:
        self.do(draws.place(random, self.world, 3 * self.steps + 1), after_ms, is_matched)

    @rule(random=RANDOMS, after_ms=AFTER_MS, is_matched=MATCHED)
    def place_another(self, random: Random, after_ms: int, is_matched: bool) -> None:
        self.do(draws.place(random, self.world, 3 * self.steps + 1), after_ms, is_matched)

    @rule(random=RANDOMS, after_ms=AFTER_MS, is_matched=MATCHED)
    def tick(self, random: Random, after_ms: int, is_matched: bool) -> None:
        self.do(draws.tick(random, self.world, 0), after_ms, is_matched)

    @rule(random=RANDOMS, is_matched=MATCHED)
    def cancel(self, random: Random, is_matched: bool) -> None:
        self.do(draws.cancel(random, self.world, 0), 0, is_matched)

    @rule(random=RANDOMS, is_matched=MATCHED)
    def replace(self, random: Random, is_matched: bool) -> None:
        self.do(draws.replace(random, self.world, 0), 0, is_matched)

    @rule(random=RANDOMS)
    def transfer(self, random: Random) -> None:
        self.do(draws.transfer(random, self.world, 0), 0)

    @precondition(lambda self: self.steps % 10 == 9)
    @rule(random=RANDOMS)
    def close(self, random: Random) -> None:
        self.do(draws.close(random, self.world, 0), 0)

    @precondition(lambda self: self.steps % 10 == 5 or self.world.venue.is_halted or self.world.venue.halted_alone)
    @rule(random=RANDOMS)
    def halt(self, random: Random) -> None:
        self.do(draws.halt(random, self.world, 0), 0)

    @precondition(lambda self: self.steps > 30)
    @rule(random=RANDOMS)
    def delist(self, random: Random) -> None:
        self.do(draws.delist(random, self.world, 0), 0)

    @rule()
    def restart(self) -> None:
        self.steps += 1
        self.world.restart()

    def teardown(self) -> None:
        """Everything, what no step touched as well."""
        self.world.audit()


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=80, stateful_step_count=50)
