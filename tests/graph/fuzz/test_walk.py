"""Each argument of each field, one hostile value after the other, as nobody, as a user, and as an admin."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from app.engine.nodes import global_id
from app.main import Application
from tests.factories import PASSWORD
from tests.graph.fuzz.arena import SDL, all_arguments, open_arena
from tests.graph.fuzz.calls import Caller
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


@pytest.mark.parametrize("name", PEOPLE)
async def test_no_value_of_any_argument_is_answered_with_an_internal_error(
    application: Application, world: World, name: str
) -> None:
    async with open_arena(application, world) as arena:
        caller = Caller(SDL, samples(world, name))
        for kind, each, _ in caller.fields():
            ask = arena.subscribe if kind is SDL.subscription_type else arena.ask
            for call in caller.calls(kind, each):
                await ask(call, name)
        print(f"{name}: {sum(arena.codes.values()):,} answers: {dict(arena.codes)}")
        assert arena.failures == []
        assert all_arguments(SDL) - arena.executed == set()
