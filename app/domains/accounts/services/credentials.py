"""Passwords: changing one's own, and setting a new one through a mailed link."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from app.domains.accounts.model import AuthEvent, Client, ResetInvalid, Viewer
from app.domains.accounts.rules import identity, mails
from app.domains.accounts.services.auth_log import AuthLog, system_scope
from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.accounts.services.sessions import Sessions
from app.domains.accounts.statements import CredentialSql, UserSql
from app.kit.clock import Clock
from app.kit.crypto.passwords import Passwords
from app.kit.crypto.tokens import digest, new_token
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import InvalidInput, NotFound
from app.kit.ratelimit import Limit, RateLimiter

RESET_TTL: Final = timedelta(hours=1)
RESET_JOB: Final = "accounts.password-reset"
RESET_LIMIT = Limit("password-reset", 5, timedelta(hours=1))
"""Requests for one account from one address."""
RESET_GAP: Final = timedelta(minutes=2)
"""Who asks again so soon has a link in the mail already."""
RESET_LINKS: Final = 5
"""Links that may be good at once by requests of strangers: mail is bounded, and each of them opens the account."""
CHANGE_LIMIT_NAME: Final = "change-password"


@dataclass(frozen=True)
class Credentials:
    """Changes and resets passwords."""

    database: Database
    clock: Clock
    passwords: Passwords
    limiter: RateLimiter
    auth_log: AuthLog
    mail_queue: MailQueue
    sessions: Sessions
    origin: str

    async def change(self, viewer: Viewer, current: str, new: str) -> int:
        """Replaces the viewer's password, ends their other sessions and says how many there were.

        Raises InvalidInput, for a wrong current password as well; RateLimited after as many of those as log-in bears.
        """
        user = await self.database.read(viewer.scope, lambda tx: tx.fetch_one(UserSql.user_by_id, viewer.user_id))
        if user is None:
            raise NotFound
        address, stored = user.email, user.password_hash
        identity.password(new, address, field="newPassword")
        # Each session has guesses of its own: a stolen one uses up those of no other.
        limit = msgspec.structs.replace(self.sessions.devices.limit, name=CHANGE_LIMIT_NAME)
        async with self.limiter.attempt(limit.of(str(viewer.session_id))) as attempt:
            verdict = await self.passwords.verify(current, stored)
            if not verdict.ok:
                await attempt.count()
        if not verdict.ok:
            error = "wrong current password"
            await self.auth_log.record_failure(AuthEvent.PASSWORD_CHANGED, viewer.client, viewer.user_id, error)
            raise InvalidInput("currentPassword", "This is not your current password.")
        new_hash = await self.passwords.hash(new)

        async def work(tx: Tx) -> int:
            if not await tx.execute(CredentialSql.replace_password, viewer.user_id, stored, new_hash):
                raise InvalidInput("currentPassword", "Your password was changed meanwhile.")
            await tx.execute(CredentialSql.delete_reset_tokens, viewer.user_id)
            await self.auth_log.record(tx, AuthEvent.PASSWORD_CHANGED, viewer.client, viewer.user_id)
            await self.mail_queue.send(tx, mails.password_changed(address))
            return await self.sessions.end_all(tx, viewer.user_id, keep=viewer.session_id)

        return await self.database.write(system_scope(viewer.client, viewer.user_id), work)

    async def request_reset(self, email: str, client: Client) -> None:
        """Asks for a reset link. Returns the same, as fast, whether or not the address has an account.

        Raises InvalidInput, RateLimited, Unavailable. Requests from elsewhere do not count against anybody here.
        """
        address = identity.email(email)
        await self.limiter.charge(RESET_LIMIT.of(f"{address}:{identity.source_of(client.ip)}"))
        content = {"email": address, "ip": client.ip, "user_agent": client.user_agent}
        await self.database.write(system_scope(client), lambda tx: self.mail_queue.enqueue(tx, RESET_JOB, content))

    async def send_reset(self, email: str, client: Client) -> None:
        """What the worker makes of such a request: nothing for an unknown address, or where links enough are good."""
        now, token = self.clock.now(), new_token()

        async def work(tx: Tx) -> None:
            links = await tx.fetch_one(CredentialSql.lock_reset_links, email, identity.source_of(client.ip), now)
            if links is None or (links.newest is not None and links.newest > now - RESET_GAP):
                return
            if links.live >= RESET_LINKS and not links.by_source:
                return
            await tx.execute(CredentialSql.insert_reset_token, links.id, digest(token), now + RESET_TTL, now)
            await self.auth_log.record(tx, AuthEvent.PASSWORD_RESET_REQUESTED, client, links.id)
            link = f"{self.origin}/reset-password?token={token}"
            minutes = int(RESET_TTL.total_seconds() // 60)
            await self.mail_queue.send(tx, mails.password_reset(links.email, link, minutes))

        await self.database.write(system_scope(client), work)

    async def reset(self, token: str, new: str, client: Client) -> UUID:
        """Sets the password that a mailed link allows to set, and ends all sessions; gives the user.

        Raises InvalidInput, ResetInvalid.
        """
        presented = digest(token)
        now = self.clock.now()
        user = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(CredentialSql.reset_token_user, presented, now))
        # Before the hash is computed: who guesses links shall not cost us a core.
        if user is None:
            raise ResetInvalid
        _, address = user
        identity.password(new, address, field="newPassword")
        new_hash = await self.passwords.hash(new)

        async def work(tx: Tx) -> UUID:
            user_id = await tx.fetch_one(CredentialSql.use_reset_token, presented, self.clock.now())
            if user_id is None:
                raise ResetInvalid
            await tx.execute(CredentialSql.set_password, user_id, new_hash)
            await tx.execute(CredentialSql.delete_reset_tokens, user_id)
            await self.auth_log.record(tx, AuthEvent.PASSWORD_RESET, client, user_id)
            await self.mail_queue.send(tx, mails.password_changed(address))
            # Who has the mail is the owner: from here they log in however many strangers guess.
            await self.sessions.devices.remember(tx, user_id, client)
            await self.sessions.end_all(tx, user_id)
            return user_id

        return await self.database.write(system_scope(client), work)
