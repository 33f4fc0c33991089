"""Who asks, and what they should send."""

import itertools
from collections.abc import Callable
from typing import Any

from tests.factories import PASSWORD
from tests.graph.world import World

PEOPLE = ("anonymous", "alice", "admin")
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
                "codes": "CODE-1",
                "transaction": "AA==",
                "signature": "AA==",
                "title": "Title",
                "source": "Source",
                "url": "https://news.example/1",
                "height": 3,
                "first": 2,
                "sessionId": world.names[f"{own}.session"],
                "userId": world.names["dave.user"],
                "hash": world.names["payment.1"],
                "walletId": world.names[f"{own}.wallet"],
                "toWalletId": world.names["bob.wallet"],
                "points": 30,
                "minimumImpact": 50,
                "Decimal": "1",
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
        "name": lambda: f"name{next(_numbers)}",
    }
