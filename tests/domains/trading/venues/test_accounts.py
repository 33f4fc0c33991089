"""Connecting accounts: tried before they are stored, and never shown again."""

import logging

import msgspec
import pytest

from app.domains.trading.exchanges.model import (
    Credentials,
    CredentialsRefused,
    ExchangeAccountInUse,
    ExchangeAccountLimitReached,
    ExchangeAccountNotConnected,
    ExchangeName,
    ExchangeUnavailable,
    NewAccount,
    PlanRequired,
    WithdrawalPermitted,
)
from app.domains.trading.portfolios.model import LiveTradingUnavailable, Mode
from app.domains.trading.venues import loaders
from app.kit.crypto.envelope import Keyring, SealBroken, new_kek
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound
from app.kit.reads import Reads
from tests.domains.trading.orders.trader import limit
from tests.domains.trading.venues.stage import VenueStage
from tests.domains.trading.venues.stub import KEY, SECRET
from tests.engine.support import listening


async def accounts(venue: VenueStage) -> int:
    count: int = await venue.stage.owner.fetchval("SELECT count(*) FROM exchange_accounts")
    return count


async def test_credentials_are_stored_sealed_and_for_their_account_alone(venue: VenueStage) -> None:
    id = await venue.connect()
    [row] = await venue.stage.owner.fetch("SELECT * FROM exchange_credentials")
    assert SECRET.encode() not in row["ciphertext"]
    assert await venue.accounts.credentials_of(id) == Credentials(KEY, SECRET)
    other = await venue.connect(label="Other")
    await venue.stage.owner.execute(
        "UPDATE exchange_credentials SET wrapped_key = $2, ciphertext = $3 WHERE account_id = $1",
        other,
        row["wrapped_key"],
        row["ciphertext"],
    )
    with pytest.raises(SealBroken):
        await venue.accounts.credentials_of(other)


async def test_no_text_shows_what_an_account_is_reached_with(venue: VenueStage) -> None:
    await venue.open()
    venue.stub.failing["POST /api/v3/order"] = ["500"]
    await venue.place(limit())
    await venue.step(2)
    for table in ("exchange_accounts", "venue_orders", "audit_logs", "events", "idempotency_keys", "job_runs"):
        for row in await venue.stage.owner.fetch(f"SELECT t::text FROM {table} t"):
            assert SECRET not in row[0]
            assert KEY not in row[0]
    given = Credentials(KEY, SECRET, "passphrase")
    new = NewAccount(ExchangeName.OKX, "x", given)
    for text in (repr(given), str(given), f"{new}", repr(venue.accounts)):
        assert SECRET not in text
        assert KEY not in text


async def test_nothing_logs_what_an_account_is_reached_with(
    venue: VenueStage, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where everything is logged: the client of an exchange logs each request then."""
    caplog.set_level(logging.DEBUG)
    with listening() as ours:
        await venue.open()
        venue.stub.failing["POST /api/v3/order"] = ["500"]
        await venue.place(limit())
        await venue.step(2)
    assert {"venue.outcome_unknown", "exchange.call_failed"} <= {each["event"] for each in ours}
    # The stub logs what it is asked.
    logged = [each.getMessage() for each in caplog.records if each.name != "aiohttp.access"]
    for text in [str(ours), *logged]:
        for secret in (KEY, SECRET, "signature="):
            assert secret not in text


async def test_an_account_that_cannot_be_used_is_not_connected(venue: VenueStage) -> None:
    with pytest.raises(CredentialsRefused):
        await venue.connect(key="another")
    with pytest.raises(CredentialsRefused):
        await venue.connect(secret="another")
    venue.stub.may_withdraw = True
    with pytest.raises(WithdrawalPermitted):
        await venue.connect()
    venue.stub.is_down = True
    with pytest.raises(ExchangeUnavailable):
        await venue.connect()
    assert await accounts(venue) == 0


async def test_it_takes_a_paid_plan(venue: VenueStage) -> None:
    with pytest.raises(PlanRequired):
        await venue.connect(by=venue.stage.bob)
    await venue.stage.owner.execute("UPDATE profiles SET subscription_expires_at = now() - interval '1 year'")
    with pytest.raises(PlanRequired):
        await venue.connect()
    # It was not even asked.
    assert venue.stub.calls == {}


async def test_an_input_is_checked_before_the_exchange_is_asked(venue: VenueStage) -> None:
    wrong = NewAccount(ExchangeName.OKX, " ", Credentials("k\u00e9y", "", None))
    with pytest.raises(InvalidInput) as refused:
        await venue.accounts.connect(venue.stage.alice, wrong, "key")
    assert [each.path[0] for each in refused.value.fields] == ["label", "api_key", "secret", "passphrase"]
    given = NewAccount(ExchangeName.BINANCE, "Mine", Credentials(KEY, SECRET, "one"))
    with pytest.raises(InvalidInput, match="has none"):
        await venue.accounts.connect(venue.stage.alice, given, "key")
    assert venue.stub.calls == {}


async def test_a_request_that_is_repeated_is_one_account(venue: VenueStage) -> None:
    new = NewAccount(ExchangeName.BINANCE, "Mine", Credentials(KEY, SECRET))
    ids = {await venue.accounts.connect(venue.stage.alice, new, "same") for _ in range(2)}
    assert len(ids) == await accounts(venue) == 1
    other = msgspec.structs.replace(new, credentials=Credentials(KEY, "other"))
    with pytest.raises(IdempotencyKeyReused):
        await venue.accounts.connect(venue.stage.alice, other, "same")


async def test_accounts_are_limited(venue: VenueStage) -> None:
    object.__setattr__(venue.accounts, "limit", 1)
    await venue.connect()
    with pytest.raises(ExchangeAccountLimitReached):
        await venue.connect()


async def test_a_live_portfolio_belongs_to_an_account_of_its_own(venue: VenueStage) -> None:
    stage = venue.stage
    with pytest.raises(LiveTradingUnavailable):
        await stage.create(mode=Mode.LIVE)
    id = await venue.connect()
    with pytest.raises(NotFound):
        await stage.create(stage.bob, mode=Mode.LIVE, exchange_account_id=id)
    with pytest.raises(InvalidInput):
        await stage.create(mode=Mode.PAPER, exchange_account_id=id)
    await stage.create(mode=Mode.LIVE, exchange_account_id=id)
    with pytest.raises(ExchangeAccountInUse):
        await stage.create(mode=Mode.LIVE, exchange_account_id=id)


async def test_disconnecting_cancels_and_then_forgets(live: VenueStage) -> None:
    id = await live.place(limit())
    await live.step()
    await live.accounts.disconnect(live.stage.alice, live.account_id)
    with pytest.raises(LiveTradingUnavailable):
        await live.place(limit())
    with pytest.raises(ExchangeAccountNotConnected):
        await live.accounts.disconnect(live.stage.alice, live.account_id)
    await live.step(3)
    assert await live.ended(id) == ("cancelled", 0, "disconnected")
    assert [each.status for each in live.stub.orders.values()] == ["CANCELED"]
    assert await live.accounts.credentials_of(live.account_id) is None
    reads = Reads(live.stage.database, live.stage.alice.scope)
    account = await reads.one(loaders.account_by_id, live.account_id)
    await reads.aclose()
    assert account is not None
    assert account.status == "disconnected"
    assert await live.stage.findings() == []


async def test_an_account_whose_key_was_revoked_can_be_disconnected(live: VenueStage) -> None:
    id = await live.place(limit())
    await live.step()
    revoked = await live.place(limit())
    live.stub.refuses_keys = True
    await live.accounts.disconnect(live.stage.alice, live.account_id)
    for _ in range(6):
        await live.step(seconds=60)
    assert await live.ended(id) == ("cancelled", 0, "vanished")
    assert await live.ended(revoked) == ("cancelled", 0, "disconnected")
    assert await live.accounts.credentials_of(live.account_id) is None
    assert await live.stage.findings() == []


async def test_a_stranger_disconnects_nothing(live: VenueStage) -> None:
    with pytest.raises(NotFound):
        await live.accounts.disconnect(live.stage.bob, live.account_id)


async def test_keys_are_rotated(venue: VenueStage) -> None:
    id = await venue.connect()
    old = await venue.stage.owner.fetchrow("SELECT kek_id, ciphertext FROM exchange_credentials")
    assert old is not None
    text = ",".join((new_kek("next"), f"test:{'A' * 43}="))
    object.__setattr__(venue.accounts, "keyring", Keyring.parse(text))
    assert [count async for count in venue.accounts.rotate()] == [1]
    new = await venue.stage.owner.fetchrow("SELECT kek_id, ciphertext FROM exchange_credentials")
    assert new is not None
    assert (old["kek_id"], new["kek_id"]) == ("test", "next")
    assert old["ciphertext"] == new["ciphertext"]
    assert await venue.accounts.credentials_of(id) == Credentials(KEY, SECRET)
