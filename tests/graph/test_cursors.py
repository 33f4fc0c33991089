"""Cursors of lists as clients meet them: good in every process that has the secret, and in no other."""

import dataclasses

from pydantic import SecretStr

from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.main import Application, build_runtime
from app.transport.runtime import Caller
from tests.factories import CLIENT

PAGE = "query($after: Cursor) { blocks(first: 2, after: $after) { nodes { height } pageInfo { endCursor } } }"


async def page(application: Application, after: str | None) -> tuple[list[int], str, list[str]]:
    """A page as a process answers that has just been started: heights, last cursor, codes of errors."""
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=1)
    runtime = build_runtime(application, hub, ProcessRpc(application.redis))
    prepared = runtime.engine.prepare(PAGE, None, {"after": after}, introspection_allowed=True)
    assert not isinstance(prepared, list)
    caller = Caller(viewer=None, client=CLIENT, request_id="test", from_browser=False)
    response = await runtime.engine.execute(prepared, runtime.new_context(caller))
    if response.data is None:
        return [], "", response.codes
    blocks = response.data["blocks"]
    return [node["height"] for node in blocks["nodes"]], blocks["pageInfo"]["endCursor"], response.codes


async def test_a_cursor_is_good_after_a_restart_and_under_no_other_secret(application: Application) -> None:
    first, cursor, _ = await page(application, None)
    second, again, _ = await page(application, cursor)
    assert [*first, *second] == sorted([*first, *second], reverse=True)
    assert len({*first, *second}) == 4
    assert (await page(application, None))[1] == cursor != again
    other = application.settings.model_copy(update={"secret_key": SecretStr("o" * 48)})
    assert await page(dataclasses.replace(application, settings=other), cursor) == ([], "", ["BAD_USER_INPUT"])
