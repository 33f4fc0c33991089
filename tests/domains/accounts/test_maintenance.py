from datetime import timedelta

from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, register, register_session


async def test_sessions_go_thirty_days_after_they_expired(house: House) -> None:
    await register(house)
    house.clock.advance(timedelta(days=30, hours=1))
    assert await house.accounts.maintenance.delete_old_sessions() == "0 deleted"
    house.clock.advance(timedelta(seconds=1))
    kept = await register_session(house, "bob@example.com")
    assert await house.accounts.maintenance.delete_old_sessions() == "1 deleted"
    assert await house.owner.fetchval("SELECT id FROM sessions") == kept.tokens.session_id


async def test_codes_and_links_go_a_day_after_they_expired(house: House) -> None:
    await register(house, verified=False)
    await house.accounts.credentials.send_reset("alice@example.com", CLIENT)
    house.clock.advance(timedelta(hours=24, minutes=10))
    assert await house.accounts.maintenance.delete_old_secrets() == "0 codes and 0 reset links deleted"
    house.clock.advance(timedelta(seconds=1))
    assert await house.accounts.maintenance.delete_old_secrets() == "1 codes and 0 reset links deleted"
    house.clock.advance(timedelta(hours=1))
    assert await house.accounts.maintenance.delete_old_secrets() == "0 codes and 1 reset links deleted"


async def test_the_auth_log_goes_after_ninety_days_and_the_audit_log_stays(house: House) -> None:
    await register(house)
    audited = await house.owner.fetchval("SELECT count(*) FROM audit_logs")
    house.clock.advance(timedelta(days=90))
    assert await house.accounts.maintenance.delete_old_auth_logs() == "0 deleted"
    house.clock.advance(timedelta(seconds=1))
    assert await house.accounts.maintenance.delete_old_auth_logs() == "2 deleted"
    assert await house.owner.fetchval("SELECT count(*) FROM audit_logs") == audited
