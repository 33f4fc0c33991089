"""Subscribers of fills, who come back with their cursor."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from app.engine.declarations.nodes import key_of
from app.schema.trading.orders.fills import Fill
from tests.streams.readers import Leg, Over, Received, SocketReader
from tests.waiting import now

DOCUMENT = 'subscription($after: Cursor) {{ fills(portfolioId: "{}", after: $after) {{ cursor fill {{ id }} }} }}'


class Follower(SocketReader):
    """Follows the fills of a portfolio. An event's `hash` is the key of its fill."""

    def __init__(self, url: str, portfolio: str, after: str, *, token: str) -> None:
        super().__init__(url, DOCUMENT.format(portfolio), after, token=token)

    @property
    def received(self) -> list[tuple[str, str]]:
        """The cursor and the key of each fill, in order."""
        return [(event.cursor, event.hash) for event in self.events]

    @property
    def lives(self) -> bool:
        return not self._task.done()

    def _note(self, leg: Leg, payload: Any) -> None:
        if "errors" in payload:
            self.faults.append(payload)
            return
        event = payload["data"]["fills"]
        key: UUID = key_of(event["fill"]["id"], Fill)
        leg.events.append(Received(now(), event["cursor"], str(key)))
        self.newest = self._noted = event["cursor"]

    async def _payloads(self, after: str) -> AsyncGenerator[Any, None]:
        try:
            async with contextlib.aclosing(super()._payloads(after)) as payloads:
                async for payload in payloads:
                    yield payload
        except Over as over:
            if over.codes != ["MAINTENANCE"]:
                raise
            # It subscribed while the database was down.
            raise OSError("not now") from over
