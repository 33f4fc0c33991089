"""What every transcript finds: five people, a chain of 24 blocks with payments, one on its way, 250 quoted tokens, and
two portfolios beside those that they began with.

It is made through the services, once for each worker. Keys, and so hashes and ids, differ from run to run: transcripts
call them by the names given here, such as `<alice.wallet>`, `<block.3>` or `<payment.1>`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from app.domains.accounts.house import ACCOUNTS
from app.domains.accounts.model import Client, NewUser, Role, Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.ledger.house import LEDGER
from app.domains.ledger.loaders import wallet_by_user
from app.domains.ledger.model import TransferCommand
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.chain import solved
from app.domains.market.prices.statements import PriceSql
from app.domains.market.services import MarketServices
from app.domains.market.sources.model import SourceKind
from app.domains.tenancy.api_keys.model import NewApiKey
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import NewTenant, Tenancy
from app.domains.trading.bots.model import NewBot
from app.domains.trading.journal.model import Currency, EntryKind, Fill, NewEntry
from app.domains.trading.journal.rules.entries import fill_lines
from app.domains.trading.portfolios.loaders import default_portfolio_by_user
from app.domains.trading.portfolios.model import NewPortfolio
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.domains.trading.services import TradingServices
from app.domains.trading.strategies.model import Dca
from app.engine.declarations.nodes import global_id
from app.kit.clock import FixedClock
from app.kit.crypto.rsa import RsaKey, generate_rsa_key, public_pem
from app.kit.db import PUBLIC, SYSTEM, Database, Scope, Tx
from app.kit.errors import Unavailable
from app.kit.house import Services, schedules_of
from app.kit.jobs import kit_schedules, run_schedule
from app.kit.reads import Reads
from tests.domains.trading.coins import post_coins
from tests.factories import PASSWORD, open_session
from tests.graph.world_news import articles
from tests.graph.world_prices import chart
from tests.statements import statement

BLOCKS = 24
BLOCK_GAP = timedelta(seconds=10)
# Alice and Bob earn two rewards each, then pay each other; the admin mines the rest.
EARNERS = {1: "alice", 2: "bob", 3: "alice", 4: "bob"}
CAROLS_HEIGHT = 6
ORDERED = statement(
    "ordered",
    "A filled order",
    """INSERT INTO orders (portfolio_id, id, side, quantity, protection_price, fees, created_at, updated_at, filled_at,
        life, symbol, type, maker_fee_fraction, taker_fee_fraction, filled_quantity, filled_quote, status, mode,
        client_order_id, priority)
    SELECT $1::uuid, $2::uuid, $3::text, $4::numeric, CASE $3 WHEN 'buy' THEN $5::numeric * 1.05 END, $6::numeric,
        $7::timestamptz, $7, $7, 1, 'BTC', 'market', 0.001, 0.002, $4, round($4 * $5, 8), 'filled', 'paper',
        'world-' || right($2::text, 1), 1""",
)
FILLED = statement(
    "filled",
    "Its fill",
    """INSERT INTO fills (portfolio_id, id, trade_id, order_id, side, quantity, price, fee, created_at, quote_at,
        entry_id, life, symbol, quote_quantity, liquidity, quote_bid, quote_ask, currency)
    SELECT $1::uuid, $2::uuid, $2, $2, $3::text, $4::numeric, $5::numeric, $6::numeric, $7::timestamptz, $7,
        $8::bigint, 1, 'BTC', round($4 * $5, 8), 'taker', $5 - 1, $5 + 1, 'USD'""",
)
HALTED = statement(
    "halted",
    "A halt of one token",
    "INSERT INTO trading_halts (id, symbol, reason, created_at)"
    " VALUES (md5('halt')::uuid, 'DOGE', 'Its chain is upgraded.', $1)",
)
TENANT = "acme"
JOINED = statement(
    "joined",
    "A member of a tenant",
    "INSERT INTO tenant_members (tenant_id, user_id, role, joined_at) VALUES ($1, $2, 'viewer', $3)",
)
PHONE = Client(ip="198.51.100.4", user_agent="phone")


@dataclass(frozen=True)
class World:
    """People by name, names for what cannot be foreseen, and the moment at which the world stands."""

    viewers: dict[str, Viewer]
    tenancies: dict[str, Tenancy]
    """Alice owns the tenant acme, and Bob views it."""
    names: dict[str, str]
    carols_key: RsaKey
    """Carol signs for herself."""
    now: datetime

    def scope_of(self, name: str) -> Scope:
        """The scope of someone's requests, which name their tenant."""
        return (self.tenancies.get(name) or self.viewers[name]).scope


@dataclass
class Builder:
    """Makes the world over services that go by `clock`."""

    services: Services
    database: Database
    clock: FixedClock
    viewers: dict[str, Viewer] = field(default_factory=dict)
    tenancies: dict[str, Tenancy] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    carols_key: RsaKey = field(default_factory=generate_rsa_key)

    async def build(self) -> World:
        """The whole world, in an order that never changes."""
        for code in ("FOR-DAVE", "FOR-ERIN", "FOR-FRED"):
            self._tick()
            await self.services[AccountsServices].administration.add_access_codes([code])
        await self._settle("admin", role=Role.ADMIN)
        await self._settle("alice")
        await self._settle("bob")
        await self._settle("carol", public_key=public_pem(self.carols_key.public_der))
        await self._settle("dave", access_code="FOR-DAVE")
        await self._mine_and_pay()
        await self.services[LedgerServices].beneficiaries.add(
            self.viewers["alice"], self.names["bob.wallet"], "Bob Test", "Bob", "world: Bob"
        )
        await self._pay("alice", "bob", "3", "On its way")
        await self._schedule()
        await self._quote()
        await self.services[MarketServices].news.publish(articles(self.clock.now()))
        await self._trade()
        await self._found()
        self.clock.advance(BLOCK_GAP)
        return World(self.viewers, self.tenancies, self.names, self.carols_key, self.clock.now())

    def _tick(self) -> None:
        """Nothing happens at the same moment as something else: every list has one order."""
        self.clock.advance(timedelta(seconds=1))

    async def _settle(
        self, name: str, *, role: Role = Role.USER, public_key: str | None = None, access_code: str | None = None
    ) -> None:
        self._tick()
        new = NewUser(
            email=f"{name}@example.com",
            password=PASSWORD,
            full_name=f"{name.capitalize()} Test",
            display_name=name.capitalize(),
            public_key=public_key,
        )
        registration = self.services[AccountsServices].registration
        if access_code is None:
            user_id = await registration.create(new, role, PHONE)
        else:
            user_id = await registration.register(new, access_code, PHONE)
        self._tick()
        opened = await open_session(self.services, user_id, role=role, verified=access_code is None)
        wallet = await Reads(self.database, PUBLIC).one(wallet_by_user, user_id)
        assert wallet is not None
        self.viewers[name] = opened.viewer
        self.names[f"{name}.user"] = global_id("UserAccount", user_id)
        self.names[f"{name}.session"] = global_id("LoginSession", opened.viewer.session_id)
        first = await Reads(self.database, opened.viewer.scope).one(default_portfolio_by_user, user_id)
        assert first is not None
        self.names[f"{name}.firstPortfolio"] = global_id("Portfolio", first.id)
        self.names[f"{name}.wallet"] = wallet.wallet_id
        self.names[f"{name}.walletNode"] = global_id("Wallet", wallet.wallet_id)

    async def _mine_and_pay(self) -> None:
        await self.services[LedgerServices].chain.ensure_genesis(self.names["admin.wallet"])
        await name_tip(self.services, self.names)
        for height in range(1, BLOCKS):
            if height > max(EARNERS):
                await self._pay("alice", "bob", f"{height}.5", f"Rent {height}")
                await self._pay("bob", "alice", f"{height}.25", f"Change {height}")
            if height == CAROLS_HEIGHT:
                await self._pay("alice", "carol", "40", "For Carol")
            await mine(self.services, self.clock, self.names, EARNERS.get(height, "admin"))

    async def _pay(self, sender: str, recipient: str, coins: str, memo: str) -> None:
        self._tick()
        number = 1 + sum(name.startswith("payment.") for name in self.names)
        command = TransferCommand(
            recipient_wallet_id=self.names[f"{recipient}.wallet"],
            amount=Decimal(coins),
            fee=Decimal("0.001"),
            memo=memo,
        )
        self.names[f"payment.{number}"] = await self.services[LedgerServices].transfers.transfer(
            self.viewers[sender], command, f"world: payment {number}"
        )

    async def _schedule(self) -> None:
        """As if a worker had started, and cleaned the sessions once."""
        tomorrow = self.clock.now() + timedelta(days=1)
        for schedule in [
            *kit_schedules(self.database, self.clock),
            *schedules_of((ACCOUNTS, LEDGER), self.services),
        ]:
            await self.database.pool.execute(
                "INSERT INTO pgqueuer_schedules (expression, entrypoint, next_run) VALUES ($1, $2, $3)",
                schedule.cron,
                schedule.name,
                tomorrow,
            )
        await run_schedule(self.database, self.clock, ACCOUNTS.schedules(self.services[AccountsServices])[0])

    async def _trade(self) -> None:
        """Alice has bought twice and sold once, Bob has Australian dollars; all of it in one moment."""
        portfolios = self.services[TradingServices].portfolios
        for name, currency in (("alice", Currency.USD), ("bob", Currency.AUD)):
            new = NewPortfolio(name="Savings", currency=currency)
            id = await portfolios.create(self.viewers[name], new, f"world: {name}")
            self.names[f"{name}.portfolio"] = global_id("Portfolio", id)
            bot = NewBot(portfolio_id=id, name="Steady", strategy=Dca(), target_symbols=["BTC"])
            bot_id = await self.services[TradingServices].bots.create(self.viewers[name], bot, f"world: {name}'s bot")
            self.names[f"{name}.bot"] = global_id("Bot", bot_id)
            if name == "alice":
                await self._fill(id, Side.BUY, "0.1", "60000.5", "6.00005")
                await self._fill(id, Side.BUY, "0.03", "61000", "1.83")
                await self._fill(id, Side.SELL, "0.05", "63000", "3.15")
        await self.database.write(SYSTEM, lambda tx: tx.execute(HALTED, self.clock.now()))
        await self.services[TradingServices].values.record()
        await self.services[TradingServices].values.summarize()
        await self.services[TradingServices].performance.measure()
        await self.services[TradingServices].analytics.count()

    async def _found(self) -> None:
        """A tenant."""
        tenancy = self.services[TenancyServices]
        new = NewTenant(slug=TENANT, name="Acme", email="office@acme.example")
        id = await tenancy.tenants.create(self.viewers["alice"], new, "world: acme")
        self.names[TENANT] = global_id("Tenant", id)
        joined_at = self.clock.now() + timedelta(seconds=1)
        await self.database.write(SYSTEM, lambda tx: tx.execute(JOINED, id, self.viewers["bob"].user_id, joined_at))
        for name in ("alice", "bob"):
            viewer = self.viewers[name]
            acting = await tenancy.access.tenancy(viewer.user_id, TENANT, viewer.client)
            assert acting is not None
            self.tenancies[name] = acting
            self.names[f"{name}.membership"] = global_id("TenantMembership", acting.membership_id)
        key = NewApiKey(name="World", scopes=["*:read"])
        issued = await tenancy.api_keys.create(self.tenancies["alice"], key, "world: key")
        self.names["api.key"] = global_id("ApiKey", issued.id)

    async def _fill(self, id: UUID, side: Side, quantity: str, price: str, fee: str) -> None:
        """A market order that the house has filled. All of them are of one moment, and listed by their IDs."""
        number = 1 + sum(name.startswith("order.") for name in self.names)
        coins, paid = units_of(Decimal(quantity)), units_of(Decimal(fee))
        terms = Fill(side, "BTC", coins, units_of(Decimal(price), PRICE_SCALE), paid)
        entry = NewEntry(
            kind=EntryKind.FILL,
            portfolio_id=id,
            life=1,
            lines=fill_lines(terms),
            at=self.clock.now(),
            order_id=UUID(int=number),
            fill_id=UUID(int=number),
        )
        amounts = [Decimal(each) for each in (quantity, price, fee)]

        async def work(tx: Tx) -> None:
            entry_id = await post_coins(tx, entry)
            await tx.execute(ORDERED, id, entry.order_id, side.value, *amounts, self.clock.now())
            await tx.execute(FILLED, id, entry.order_id, side.value, *amounts, self.clock.now(), entry_id)

        await self.database.write(SYSTEM, work)
        self.names[f"order.{number}"] = global_id("Order", entry.order_id)
        self.names[f"fill.{number}"] = global_id("Fill", entry.fill_id)
        self.names[f"trade.{number}"] = global_id("Trade", entry.fill_id)

    async def _quote(self) -> None:
        """As if a worker had fed prices once, and a feed of news had failed."""
        market = self.services[MarketServices]
        await market.tokens.ensure()
        provider = market.providers.prices
        quotes = await provider.quotes([token.symbol for token in await provider.tokens(250)])
        columns = [list(column) for column in zip(*map(msgspec.structs.astuple, quotes.accepted), strict=True)]
        await self.database.write(SYSTEM, lambda tx: tx.fetch(PriceSql.put_quotes, provider.name, *columns))
        await market.sources.succeeded(
            provider.name, SourceKind.PRICES, accepted=len(quotes.accepted), ignored={"stale": 2, "jump": 1}
        )
        await chart(market.history, provider.name, self.clock.now())
        await market.sources.failed("https://news.example/feed?key=secret", SourceKind.NEWS, Unavailable("HTTP 503"))


async def mine(services: Services, clock: FixedClock, names: dict[str, str], miner: str) -> None:
    """Connects one block with all that waits, and names it."""
    clock.advance(BLOCK_GAP)
    wallet_id = names[f"{miner}.wallet"]
    template = await services[LedgerServices].chain.template(wallet_id)
    await services[LedgerServices].chain.connect(await solved(template.block), wallet_id)
    await name_tip(services, names)


async def name_tip(services: Services, names: dict[str, str]) -> None:
    """Calls the hash of the newest block `<block.HEIGHT>`."""
    state = await services[LedgerServices].chain.state()
    assert state is not None
    names[f"block.{state.tip_height}"] = state.tip_hash
