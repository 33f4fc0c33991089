"""Viewers who request analyses."""

from datetime import timedelta
from uuid import UUID, uuid4

from app.domains.accounts.model import Client, Role, Viewer
from tests.databases import NOON, Owner


def viewer_of(user_id: UUID, session_id: UUID | None = None) -> Viewer:
    """A logged-in user, in a session of their own."""
    return Viewer(
        user_id=user_id,
        session_id=session_id or uuid4(),
        role=Role.USER,
        is_verified=True,
        expires_at=NOON + timedelta(hours=8),
        client=Client(),
    )


async def somebody(owner: Owner) -> Viewer:
    """A new user."""
    user_id = uuid4()
    await owner.execute(
        "INSERT INTO users (id, email, password_hash, full_name, is_verified) VALUES ($1, $2, 'x', 'Somebody', true)",
        user_id,
        f"{user_id}@example.com",
    )
    return viewer_of(user_id)
