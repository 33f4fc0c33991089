"""Who asks, and what they should send."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

from app.domains.accounts.model import Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.ledger.services import LedgerServices
from app.domains.market.prices.model import Interval
from app.domains.market.services import MarketServices
from app.domains.trading.backtests.model import Asked, AskedSweep, Axis, SweepField
from app.domains.trading.backtests.model.reports import BotTerms
from app.domains.trading.bots.model import NewBot
from app.domains.trading.portfolios.model import NewPortfolio
from app.domains.trading.services import TradingServices
from app.domains.trading.strategies.model import Dca
from app.engine.declarations.nodes import global_id
from app.kit.db import SYSTEM
from app.main import Application
from tests.factories import PASSWORD
from tests.graph.world import ORDERED, World
from tests.statements import statement

ACCESS_CODES = 2000
PEOPLE = ("anonymous", "alice", "admin")
CONNECTED = statement(
    "connected",
    "An account of a user at an exchange, with a comparison, and the portfolio that belongs to it",
    """WITH account AS (
        INSERT INTO exchange_accounts (user_id, exchange, label) VALUES ($1::uuid, 'binance', 'Fuzzed') RETURNING id
    ), compared AS (
        INSERT INTO reconciliations (account_id) SELECT id FROM account
    )
    UPDATE portfolios SET mode = 'live', initial_balance = 0, exchange_account_id = (SELECT id FROM account)
    WHERE id = $2::uuid""",
)
_numbers = itertools.count(1)


def samples(world: World, name: str) -> dict[str, Callable[[], Any]]:
    """What this person should send."""
    own = "alice" if name == "anonymous" else name

    def constant(value: Any) -> Callable[[], Any]:
        return lambda: value

    return {
        **{
            key: constant(value)
            for key, value in {
                "email": f"{own}@example.com",
                "password": PASSWORD,
                "currentPassword": PASSWORD,
                "newPassword": "a-new-password-1",
                "symbol": "BTC",
                "symbols": "BTC",
                "code": "123456",
                "transaction": "AA==",
                "signature": "AA==",
                "title": "Title",
                "source": "Source",
                "height": 3,
                "first": 2,
                "RevokeSessionInput.id": world.names[f"{own}.session"],
                "UpdateUserRoleInput.id": world.names["dave.user"],
                "hash": world.names["payment.1"],
                "walletId": world.names[f"{own}.wallet"],
                "recipientWalletId": world.names["bob.wallet"],
                "points": 30,
                "DefineTaskInput.points": "30",
                "AdjustPointsInput.points": "30",
                "Milliseconds": 300_000,
                "BigInt": "7",
                "minImpact": 50,
                "Decimal": "1",
                "Float": 1.5,
                "Boolean": False,
                "Int": 1,
                "DateTime": "2027-01-01T00:00:00Z",
                "Hash": world.names["payment.1"],
                "Cursor": "AAAA",
                "JSON": 1,
                "String": "text",
                "ID": world.names[f"{own}.walletNode"],
            }.items()
        },
        "idempotencyKey": lambda: f"key {next(_numbers)}",
        "accessCode": lambda: f"CODE-{next(_numbers)}",
        "TrackEventInput.type": lambda: "page.opened",
        "TrackEventInput.data": lambda: {"page": next(_numbers)},
        "codes": lambda: f"CODE-{next(_numbers)}",
        "url": lambda: f"https://news.example/{next(_numbers)}",
        "RegisterInput.email": lambda: f"new-{next(_numbers)}@example.com",
        "name": lambda: f"name{next(_numbers)}",
    }


async def _simulated(application: Application, viewer: Viewer) -> tuple[str, str]:
    """A back-test and a sweep that wait."""
    backtests = application.services[TradingServices].backtests
    bot = BotTerms(symbol="XMR", config=Dca())
    asked = Asked(bot=bot, interval=Interval.ONE_MINUTE, initial_cash_usd=Decimal(100))
    axis = Axis(SweepField.EVERY_CANDLES, (Decimal(1), Decimal(2)))
    backtest = await backtests.run(viewer, asked, "fuzz: back-test")
    sweep = await backtests.sweep(viewer, AskedSweep(asked=asked, axes=(axis,)), "fuzz: sweep")
    return global_id("Backtest", backtest), global_id("BacktestSweep", sweep)


async def belongings(application: Application, world: World, name: str) -> dict[str, Callable[[], Any]]:
    """What this person has that can be changed, and what they need to make more: samples as well."""
    market, ledger = application.services[MarketServices], application.services[LedgerServices]
    codes = [f"FUZZ-{number}" for number in range(ACCESS_CODES)]
    await application.services[AccountsServices].administration.add_access_codes(codes)
    symbols = itertools.cycle(token.symbol for token in await market.providers.prices.tokens(250))
    found = {"RegisterInput.accessCode": codes.pop, "AddToWatchlistInput.symbol": lambda: next(symbols)}
    if name == "anonymous":
        return found
    viewer = world.viewers[name]
    item = global_id("WatchlistItem", (await market.watchlist.add(viewer, "BTC", None, "fuzz: item")).id)
    carol = await ledger.beneficiaries.add(viewer, world.names["carol.wallet"], None, None, "fuzz: carol")
    beneficiary = global_id("Beneficiary", carol.id)
    portfolios = application.services[TradingServices].portfolios
    portfolio_id, order_id = await portfolios.create(viewer, NewPortfolio(), "fuzz: portfolio"), uuid4()
    terms = (portfolio_id, order_id, "buy", Decimal(1), Decimal(100), Decimal("0.2"), world.now)
    await application.database.write(SYSTEM, lambda tx: tx.execute(ORDERED, *terms))
    portfolio, order = global_id("Portfolio", portfolio_id), global_id("Order", order_id)
    new = NewBot(portfolio_id=portfolio_id, name="Fuzzed", strategy=Dca(), target_symbols=["BTC"])
    bot = global_id("Bot", await application.services[TradingServices].bots.create(viewer, new, "fuzz: bot"))
    backtest, sweep = await _simulated(application, viewer)
    live_id = await portfolios.create(viewer, NewPortfolio(), "fuzz: live")
    await application.database.write(SYSTEM, lambda tx: tx.execute(CONNECTED, viewer.user_id, live_id))
    live = global_id("Portfolio", live_id)
    return found | {
        "RunBacktestInput.symbol": lambda: "XMR",
        "BacktestInput.symbol": lambda: "XMR",
        "RunBacktestInput.interval": lambda: "ONE_MINUTE",
        "backtestId": lambda: backtest,
        "sweepId": lambda: sweep,
        "BacktestBy.id": lambda: backtest,
        "BacktestSweepBy.id": lambda: sweep,
        "botId": lambda: bot,
        "BotBy.id": lambda: bot,
        **{f"{verb}BotInput.id": lambda: bot for verb in ("Update", "Start", "Pause", "Stop")},
        "OrderBy.id": lambda: order,
        "CancelOrderInput.id": lambda: order,
        "ReplaceOrderInput.id": lambda: order,
        "PortfolioBy.id": lambda: live,
        "portfolioId": lambda: portfolio,
        "UpdatePortfolioInput.id": lambda: portfolio,
        "UpdatePortfolioInput.default": lambda: True,
        "UpdateWatchlistItemInput.id": lambda: item,
        "UpdateBeneficiaryInput.id": lambda: beneficiary,
    }
