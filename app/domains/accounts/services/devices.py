"""Known devices and networks: devices with a token, and networks that a user has logged in from before.

Failed log-ins from a known device or network are counted separately. So attackers who guess at an account, or from a
shared network, cannot lock out its user.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.domains.accounts.model import DEVICE_TTL, Client
from app.domains.accounts.statements import DeviceSql, LoginCandidate
from app.kit.addresses import source_of
from app.kit.clock import Clock
from app.kit.crypto.tokens import digest, keyed_digest, new_token, same_digest
from app.kit.db import SYSTEM, Database, Tx
from app.kit.ratelimit import Charge, Limit

SOURCES_KEPT: Final = 50
MAX_PAUSE: Final = timedelta(minutes=5)
"""The longest pause between two guesses of unknown clients at one account, or from one network."""
ACCOUNT_FACTOR: Final = 10
ADDRESS_FACTOR: Final = 20


class ReturningClient(Client, frozen=True):
    """A client with tokens of an earlier log-in."""

    device_token: str | None = None
    refresh_token: str | None = None


@dataclass(frozen=True)
class Devices:
    """Recognises devices, and decides which limits an attempt to log in is charged to."""

    database: Database
    clock: Clock
    secret: bytes
    limit: Limit
    """Failures for each account and network, or account and device."""

    @property
    def limits(self) -> tuple[Limit, Limit, Limit]:
        """Failures of one client at one account; of all unknown clients at one account; and from one network."""
        return self.limit, self._strangers("account", ACCOUNT_FACTOR), self._strangers("address", ADDRESS_FACTOR)

    def issue(self, user_id: UUID, password_hash: str) -> str:
        """Returns a token that identifies this device until the password changes."""
        issued = f"{new_token(16)}.{int(self.clock.now().timestamp())}"
        return f"{issued}.{self._mac(issued, user_id, password_hash)}"

    def knows(self, token: str, user_id: UUID, password_hash: str) -> bool:
        """Whether the token was issued to a device of this user since their password last changed."""
        issued, _, mac = token.rpartition(".")
        if not same_digest(mac, self._mac(issued, user_id, password_hash)):
            return False
        return int(issued.rpartition(".")[2]) > (self.clock.now() - DEVICE_TTL).timestamp()

    async def look_up(self, address: str, proof: ReturningClient) -> tuple[LoginCandidate | None, list[Charge]]:
        """Returns the account of an e-mail address, if any, and what an attempt at it is charged to.

        The subjects contain the password's hash, so a password reset clears the counts.
        """
        source = source_of(proof.ip)
        session = None if proof.refresh_token is None else digest(proof.refresh_token)
        wanted = (address, source, session, self.clock.now())
        user = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(DeviceSql.login_candidate, *wanted))
        account = f"{digest(address)}:{'' if user is None else digest(user.password_hash)}"
        if user is not None:
            token = proof.device_token
            if token is not None and self.knows(token, user.id, user.password_hash):
                return user, self.limit.of(f"{account}:device:{digest(token)}")
            if user.by_session:
                return user, self.limit.of(f"{account}:session:{session}")
        charges = self.limit.of(f"{account}:address:{source}")
        if user is not None and user.by_source:
            return user, charges
        return user, [*charges, *self.limits[1].of(account), *self.of_source(source)]

    def of_source(self, source: str | None) -> list[Charge]:
        """Returns the charges that all unknown clients of one network share."""
        return self.limits[2].of(source)

    async def remember(self, tx: Tx, user_id: UUID, client: Client) -> None:
        """Remembers that the user was in this network."""
        source = source_of(client.ip)
        if source is not None:
            await tx.execute(DeviceSql.remember_source, user_id, source, self.clock.now(), SOURCES_KEPT)

    def _strangers(self, name: str, factor: int) -> Limit:
        return Limit(f"{self.limit.name}-{name}", self.limit.attempts * factor, self.limit.window, MAX_PAUSE)

    def _mac(self, issued: str, user_id: UUID, password_hash: str) -> str:
        return keyed_digest(issued, secret=self.secret, scope=f"device:{user_id}:{password_hash}")
