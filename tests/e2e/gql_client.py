"""What web/conformance/clients.mjs does, with Python's gql: `gql_client <base url> [blocks_after] [payments_after]`.

gql leaves it to its user to connect again: each attempt is a client of its own, and begins after the newest event.
"""

import asyncio
import json
import os
import sys
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportClosed, TransportConnectionFailed, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

from tests.waiting import elapse

RETRY_S = 0.25
BLOCKS = "subscription($after: Cursor) { blocks(after: $after) { cursor block { height hash } } }"
PAYMENTS = "subscription($after: Cursor) { transactionUpdates(after: $after) { cursor transaction { hash } } }"


async def watch(url: str, token: str, field: str, query: str, after: str | None) -> bool:
    """Prints every event, in order, once, through whatever happens to the server; False when it is refused."""
    while True:
        transport = WebsocketsTransport(
            url=url, init_payload={"authorization": f"Bearer {token}"}, subprotocols=["graphql-transport-ws"]
        )
        try:
            async with Client(transport=transport) as session:
                say("connected", {})
                request = GraphQLRequest(query, variable_values={"after": after})
                async for result in session.subscribe(request):
                    say(field, result[field])
                    after = result[field]["cursor"]
                raise AssertionError(f"{field} was completed by the server")
        except TransportQueryError as error:
            codes = [refusal["extensions"]["code"] for refusal in error.errors or []]
            if codes == ["RESYNC_REQUIRED"]:
                say("resync", {})
            say("error", {"reason": str(error)})
            return False
        except (TransportConnectionFailed, TransportClosed, OSError) as error:
            say("closed", {"reason": str(error)})
        await elapse(RETRY_S)


async def main(base: str, blocks_after: str | None = None, payments_after: str | None = None) -> int:
    """Watches blocks and payments until standard input ends; 1 when one of them was refused before."""
    url = base.replace("http", "ws", 1) + "/graphql"
    token = os.environ["MONETA_TOKEN"]
    async with asyncio.TaskGroup() as group:
        watching = [
            group.create_task(watch(url, token, "blocks", BLOCKS, blocks_after)),
            group.create_task(watch(url, token, "transactionUpdates", PAYMENTS, payments_after)),
        ]
        await asyncio.to_thread(sys.stdin.read)
        refused = any(task.done() for task in watching)
        for task in watching:
            task.cancel()
    return int(refused)


def say(what: str, details: dict[str, Any]) -> None:
    """A line of JSON."""
    print(json.dumps({"what": what, **details}), flush=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
