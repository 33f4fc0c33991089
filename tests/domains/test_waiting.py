"""A holder of a connection waits for nothing else: what takes long is refused."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from app.domains.accounts.services import AccountsServices
from app.domains.ledger.services import LedgerServices
from app.domains.market.analysis.model import AnalysisType
from app.domains.market.news.services.fetcher import FeedState, Fetcher
from app.domains.market.services import MarketServices
from app.kit.db import PUBLIC, SYSTEM, Tx
from app.kit.mail import Message
from app.kit.ratelimit import Limit
from app.kit.sandbox import run_sandboxed
from app.kit.work import Work, working
from app.main import Application

CHARGES = Limit("test", 1, timedelta(minutes=1)).of("alice")
MESSAGE = Message(to="alice@example.com", subject="s", text="t")
Wait = Callable[[Application], Awaitable[object]]

WAITS: dict[str, Wait] = {
    "hash": lambda each: each.services[AccountsServices].registration.passwords.hash("correct-horse-battery"),
    "verify": lambda each: each.services[AccountsServices].registration.passwords.verify("correct-horse-battery", None),
    "limit": lambda each: each.services[AccountsServices].registration.limiter.charge(CHARGES),
    "key": lambda each: each.services[LedgerServices].wallets.prepare(None),
    "mail": lambda each: each.services[AccountsServices].mail_queue.deliver(
        {"to": MESSAGE.to, "subject": "s", "text": "t"}
    ),
    "feed": lambda each: Fetcher(1, 1).get("https://feeds.example/", FeedState()),
    "process": lambda each: run_sandboxed(bytes, b"", cpu_s=1, memory_bytes=1),
    "analysis": lambda each: each.services[MarketServices].analyses.get("BTC", AnalysisType.MARKET_DATA),
    "connection": lambda each: each.services[AccountsServices].users.by_email("alice@example.com"),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
async def test_nothing_is_waited_for_in_a_transaction(application: Application, wait: Wait) -> None:
    async def work(tx: Tx) -> None:
        await wait(application)

    with pytest.raises(RuntimeError, match="holds a connection"):
        await application.database.write(SYSTEM, work)
    with pytest.raises(RuntimeError, match="holds a connection"), working(Work()):
        async with application.database.snapshot(PUBLIC):
            await wait(application)
