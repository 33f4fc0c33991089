"""The auth log: authentication events, with their user, origin and outcome."""

from dataclasses import dataclass
from uuid import UUID

from app.domains.accounts.model import AuthEvent, Client
from app.domains.accounts.statements import AuthLogSql
from app.kit.addresses import ip_address
from app.kit.clock import Clock
from app.kit.db import Database, Scope, Tx

MAX_USER_AGENT_CHARS = 512


@dataclass(frozen=True)
class AuthLog:
    """Writes the auth log."""

    database: Database
    clock: Clock

    async def record(
        self, tx: Tx, event: AuthEvent, client: Client, user_id: UUID | None, *, error: str | None = None
    ) -> None:
        """Adds an entry in the caller's transaction, so that both commit or roll back together."""
        ip, user_agent = origin_of(client)
        await tx.execute(
            AuthLogSql.insert_auth_log, user_id, event, ip, user_agent, error is None, error, self.clock.now()
        )

    async def record_failure(self, event: AuthEvent, client: Client, user_id: UUID | None, error: str) -> None:
        """Adds an entry about a failure, in a transaction of its own."""
        await self.database.write(system_scope(client), lambda tx: self.record(tx, event, client, user_id, error=error))


def origin_of(client: Client) -> tuple[str | None, str | None]:
    """Returns the IP address and the user agent as they are stored."""
    agent = client.user_agent
    if agent is not None:
        agent = agent.replace("\x00", "").encode("utf-8", "replace").decode()[:MAX_USER_AGENT_CHARS]
    return ip_address(client.ip), agent


def system_scope(client: Client, user_id: UUID | None = None) -> Scope:
    """Returns the system scope for a request of `client`. The audit log names `user_id`."""
    return Scope(user_id=user_id, system=True, ip=client.ip, user_agent=client.user_agent)
