"""Row-level security, asked directly: what a viewer's scope sees and can change, whatever the statement."""

from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from app.domains.accounts.model import Viewer
from app.domains.market.prices.model import Move
from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.market.alerts.stage import Stage, above
from tests.statements import statement


@pytest_asyncio.fixture(autouse=True)
async def notified(stage: Stage) -> None:
    """Alice has an alert that has fired."""
    await stage.create(above("100"))
    await stage.tick("90", "110")
    await stage.owner.execute("INSERT INTO alert_marks (kind, subject, at) VALUES ('whale_tx', 'x', now())")


async def rows(stage: Stage, scope: Scope, sql: str) -> int:
    """How many rows a statement touches or finds."""
    return await stage.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


async def test_a_user_sees_and_changes_their_own_and_no_others(stage: Stage, bob: Viewer) -> None:
    for scope, count in ((stage.alice.scope, 1), (bob.scope, 0), (PUBLIC, 0), (SYSTEM, 1)):
        assert await rows(stage, scope, "SELECT FROM alerts") == count
    before = await stage.owner.fetch("SELECT * FROM alerts")
    for scope in (bob.scope, PUBLIC):
        assert await rows(stage, scope, "UPDATE alerts SET user_id = user_id") == 0
        assert await rows(stage, scope, "DELETE FROM alerts") == 0
    assert await stage.owner.fetch("SELECT * FROM alerts") == before


async def test_nobody_gives_their_own_to_another(stage: Stage, bob: Viewer) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(stage, stage.alice.scope, f"UPDATE alerts SET user_id = '{bob.user_id}'")


async def test_nobody_makes_anything_for_another(stage: Stage, bob: Viewer) -> None:
    sql = (
        "INSERT INTO alerts (user_id, symbol, alert_type, threshold_value)"
        f" VALUES ('{bob.user_id}', 'BTC', 'news_impact', 1)"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(stage, stage.alice.scope, sql)


async def test_only_moneta_moves_the_marks(stage: Stage) -> None:
    for scope in (stage.alice.scope, PUBLIC):
        assert await rows(stage, scope, "UPDATE alert_marks SET at = now()") == 0
        assert await rows(stage, scope, "DELETE FROM alert_marks") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(stage, scope, f"INSERT INTO alert_marks (kind, subject, at) VALUES ('x', '{uuid4()}', now())")


async def test_no_user_lets_an_alert_of_another_fire(stage: Stage, bob: Viewer) -> None:
    """Even if somebody called what a tick calls as a user: nothing of another is found."""
    await stage.create(above("200"))
    move = Move("BTC", Decimal(110), Decimal(300))
    await stage.database.write(bob.scope, lambda tx: stage.market.price_alerts.evaluate(tx, "simulated", [move]))
    assert len(await stage.titles()) == 1
