"""A portfolio of Alice at a stub exchange, and the worker that serves it, step by step."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.trading.exchanges.model import Credentials, ExchangeName, NewAccount
from app.domains.trading.orders.model import NewOrder
from app.domains.trading.portfolios.model import Mode
from app.domains.trading.quantities.rules import ms_of
from app.domains.trading.venues.services.accounts import ExchangeAccounts
from app.domains.trading.venues.services.client import Markets
from app.domains.trading.venues.services.connector import Connector
from app.domains.trading.venues.services.venues import Venues
from app.kit.wake import Wake
from tests.domains.trading.matching.market import Market, begin
from tests.domains.trading.stage import Stage
from tests.domains.trading.venues.stub import KEY, SECRET, StubExchange

ACTIVE = "SELECT count(*) FROM venue_orders WHERE state IN ('held', 'waiting', 'sending', 'open')"
STILL = timedelta(seconds=61)
"""After which an order that the exchange does not know is given up."""


@dataclass
class VenueStage:
    """Alice has a paid plan; `connect` makes her account, and `open` its portfolio."""

    stage: Stage
    stub: StubExchange
    market: Market
    timeout_ms: int
    accounts: ExchangeAccounts = field(init=False)
    venues: Venues = field(init=False)
    account_id: UUID = field(init=False)
    id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.stub.stamp = lambda: ms_of(self.stage.clock.now())
        connector = Connector(Markets(), self.stub.address, self.timeout_ms, {"rateLimit": 1})
        self.accounts = replace(self.stage.trading.exchange_accounts, connector=connector)
        self.venues = self.worker()

    def worker(self) -> Venues:
        """Another worker."""
        trading = self.stage.trading
        made = trading.venues
        wake = Wake(made.wake._redis, "moneta:test")
        return Venues(
            made.database, made.clock, self.accounts, made.settler, made.reconciling, self.accounts.connector, wake
        )

    async def connect(self, by: Viewer | None = None, key: str = KEY, secret: str = SECRET, **new: Any) -> UUID:
        account = NewAccount(ExchangeName.BINANCE, new.get("label", "Mine"), Credentials(key, secret))
        return await self.accounts.connect(by or self.stage.alice, account, self.stage.key)

    async def open(self) -> None:
        """A portfolio with what the account holds."""
        self.account_id = await self.connect()
        self.id = await self.stage.create(mode=Mode.LIVE, exchange_account_id=self.account_id)
        await self.venues.lead()
        await self.until_still()

    async def place(self, new: NewOrder, key: str | None = None) -> UUID:
        return await self.stage.trading.orders.place(self.stage.alice, self.id, new, key or self.stage.key)

    async def step(self, times: int = 1, seconds: int = 3) -> None:
        """The worker does what is due, and time passes."""
        for _ in range(times):
            await self.venues.step()
            self.stage.clock.advance(timedelta(seconds=seconds))

    async def until_still(self, most: int = 60) -> None:
        """Until nothing is asked for any more, and nothing is on its way."""
        asked = "SELECT count(*) FROM reconciliations WHERE status = 'asked'"
        for _ in range(most):
            await self.step()
            if not await self.stage.owner.fetchval(asked):
                return
        raise AssertionError("there is no end to it")

    async def until_ended(self, most: int = 200) -> None:
        """Until nothing is active at the exchange."""
        for _ in range(most):
            if not await self.stage.owner.fetchval(ACTIVE):
                return
            await self.step(seconds=5)
        raise AssertionError(await self.sent())

    async def sent(self) -> list[Any]:
        return await self.stage.owner.fetch("SELECT * FROM venue_orders ORDER BY created_at, id")

    async def row(self, id: UUID) -> Any:
        return await self.stage.owner.fetchrow("SELECT * FROM orders WHERE id = $1", id)

    async def ended(self, id: UUID) -> tuple[Any, ...]:
        """The status of an order, what of it was filled, and the reason of its end."""
        row = await self.row(id)
        return row["status"], row["filled_quantity"], row["reason"]

    async def reconcile(self, *, adopts: bool = False) -> tuple[str, list[Any]]:
        """The status of a comparison, and what it has found."""
        trading = self.stage.trading
        id = await trading.reconciling.ask(self.stage.alice, self.account_id, adopts=adopts)
        await self.until_still()
        owner = self.stage.owner
        found = await owner.fetch(
            "SELECT kind, subject, in_books, at_exchange, is_corrected FROM reconciliation_differences"
            " WHERE reconciliation_id = $1 ORDER BY number",
            id,
        )
        return await owner.fetchval("SELECT status FROM reconciliations WHERE id = $1", id), [tuple(x) for x in found]

    async def check(self) -> None:
        """The books agree in themselves and with the exchange, and nothing was sent twice."""
        assert await self.stage.findings() == []
        compared = await self.reconcile()
        assert compared == ("equal", []), compared
        assert max(self.stub.received.values(), default=0) <= 1
        assert max(self.stub.taken.values(), default=0) <= 1


async def venue_stage(stage: Stage, stub: StubExchange, timeout_ms: int = 20_000) -> VenueStage:
    """Alice, with a paid plan, and a market that is open."""
    await stage.owner.execute("UPDATE profiles SET subscription_tier = 'pro' WHERE user_id = $1", stage.alice.user_id)
    market = await begin(stage)
    return VenueStage(stage, stub, market, timeout_ms)
