"""The log of a user's account."""

from tests.factories import register
from tests.schema.accounts.conftest import Graph


async def test_the_auth_log_shows_what_happened(graph: Graph) -> None:
    alice = await register(graph.house, verified=False)
    await register(graph.house, "bob@example.com")
    data = await graph.data("{ viewer { authLog { nodes { type hasSucceeded errorMessage } } } }", by=alice)
    events = {node["type"] for node in data["viewer"]["authLog"]["nodes"]}
    assert events == {"REGISTER", "VERIFICATION_SENT", "LOGIN"}
    assert len(data["viewer"]["authLog"]["nodes"]) == 3
