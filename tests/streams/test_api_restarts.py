"""The API dies, or is stopped, and serves again on the same port: every client goes on where it was."""

from tests.streams.crowd import FORGETFUL, crowd
from tests.streams.deployment import Deployment
from tests.streams.readers import NO_CLOSING
from tests.waiting import now, until

RESTARTING = 1012


async def test_clients_go_on_after_a_kill_and_after_a_stop(deployment: Deployment) -> None:
    async with crowd(deployment) as here:
        await here.published(30)
        killed = now()
        deployment.api.kill()
        await here.published(30)
        await deployment.start_api()
        await until(lambda: all(len(reader.legs) == 2 for reader in here.readers))
        back = now()
        assert {tuple(reader.cuts) for reader in here.readers} == {(NO_CLOSING,)}
        await here.caught_up()

        await here.published(30)
        stopped = now()
        await deployment.api.stop()
        assert {tuple(reader.cuts) for reader in here.sockets} == {(NO_CLOSING, RESTARTING)}
        # SSE has no word for it: the answer ends without `complete`, and EventSource connects again.
        assert {tuple(reader.cuts) for reader in here.streams} == {(NO_CLOSING, NO_CLOSING)}
        await here.published(30)
        await deployment.start_api()
        await until(lambda: all(len(reader.legs) == 3 for reader in here.readers))
        await here.published(60)
        await here.caught_up()
        back_again = now()
    here.report("API killed and started again", killed, back)
    here.report("API stopped and started again", stopped, back_again)
    repeated = [len(reader.events) - len(here.publisher.log) for reader in here.readers if reader.notes_every > 1]
    # At least once for those who store their cursor seldom; all others received each exactly once.
    assert sum(repeated) > 0
    assert max(repeated) <= 2 * (FORGETFUL - 1)
