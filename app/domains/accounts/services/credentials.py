"""Password changes, and password resets by a mailed link."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from app.domains.accounts.model import AuthEvent, Client, PublicUser, ResetInvalid, Viewer
from app.domains.accounts.rules import identity, mails
from app.domains.accounts.services.auth_log import AuthLog, system_scope
from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.accounts.services.sessions import Sessions
from app.domains.accounts.statements import CredentialSql, UserSql
from app.kit.addresses import source_of
from app.kit.clock import Clock
from app.kit.crypto.passwords import Passwords
from app.kit.crypto.tokens import digest, new_token
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Faults, InvalidInput, NotFound
from app.kit.ratelimit import Limit, RateLimiter

RESET_TTL: Final = timedelta(hours=1)
RESET_JOB: Final = "accounts.password-reset"
RESET_LIMIT = Limit("password-reset", 5, timedelta(hours=1))
"""Requests for one account from one network."""
RESET_GAP: Final = timedelta(minutes=2)
"""A request this soon after the last one sends no mail: a link is on its way."""
RESET_LINKS: Final = 5
"""The most links that requests from unknown networks keep valid at once. It bounds the mails to a user."""
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
        """Replaces the viewer's password and ends their other sessions. Returns how many were ended.

        Raises InvalidInput, also for a wrong current password; RateLimited after as many wrong ones as log-in allows.
        """
        user = await self.database.read(viewer.scope, lambda tx: tx.fetch_one(UserSql.user_by_id, viewer.user_id))
        if user is None:
            raise NotFound(PublicUser)
        address, stored = user.email, user.password_hash
        faults = Faults()
        faults.check(identity.password, new, address, field="new_password")
        # Guesses are counted for each session, so that a stolen one does not use up those of others.
        limit = msgspec.structs.replace(self.sessions.devices.limit, name=CHANGE_LIMIT_NAME)
        async with self.limiter.attempt(limit.of(str(viewer.session_id))) as attempt:
            verdict = await self.passwords.verify(current, stored)
            if not verdict.ok:
                await attempt.count()
        if not verdict.ok:
            error = "wrong current password"
            await self.auth_log.record_failure(AuthEvent.PASSWORD_CHANGED, viewer.client, viewer.user_id, error)
            faults.add("current_password", "This is not your current password.")
        faults.end()
        new_hash = await self.passwords.hash(new)

        async def work(tx: Tx) -> int:
            if not await tx.execute(CredentialSql.replace_password, viewer.user_id, stored, new_hash):
                raise InvalidInput("current_password", "Your password was changed in the meantime.")
            await tx.execute(CredentialSql.delete_reset_tokens, viewer.user_id)
            await self.auth_log.record(tx, AuthEvent.PASSWORD_CHANGED, viewer.client, viewer.user_id)
            await self.mail_queue.send(tx, mails.password_changed(address))
            return await self.sessions.end_all(tx, viewer.user_id, keep=viewer.session_id)

        return await self.database.write(system_scope(viewer.client, viewer.user_id), work)

    async def request_reset(self, email: str, client: Client) -> None:
        """Requests a reset link. Neither result nor timing reveals whether the address has an account.

        Raises InvalidInput, RateLimited, Unavailable. Requests are counted for each network separately.
        """
        address = identity.email(email)
        await self.limiter.charge(RESET_LIMIT.of(f"{address}:{source_of(client.ip)}"))
        content = {"email": address, "ip": client.ip, "user_agent": client.user_agent}
        await self.database.write(system_scope(client), lambda tx: self.mail_queue.enqueue(tx, RESET_JOB, content))

    async def send_reset(self, email: str, client: Client) -> None:
        """Handles such a request in the worker. Sends nothing if the address is unknown or enough links are valid."""
        now, token = self.clock.now(), new_token()

        async def work(tx: Tx) -> None:
            links = await tx.fetch_one(CredentialSql.lock_reset_links, email, source_of(client.ip), now)
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
        """Sets a new password by a mailed link and ends all sessions. Returns the user's id.

        Raises InvalidInput, ResetInvalid.
        """
        presented = digest(token)
        now = self.clock.now()
        user = await self.database.read(SYSTEM, lambda tx: tx.fetch_one(CredentialSql.reset_token_user, presented, now))
        # Before the hash is computed: guessing links must not cost CPU time.
        if user is None:
            raise ResetInvalid
        _, address = user
        identity.password(new, address, field="new_password")
        new_hash = await self.passwords.hash(new)

        async def work(tx: Tx) -> UUID:
            user_id = await tx.fetch_one(CredentialSql.use_reset_token, presented, self.clock.now())
            if user_id is None:
                raise ResetInvalid
            await tx.execute(CredentialSql.set_password, user_id, new_hash)
            await tx.execute(CredentialSql.delete_reset_tokens, user_id)
            await self.auth_log.record(tx, AuthEvent.PASSWORD_RESET, client, user_id)
            await self.mail_queue.send(tx, mails.password_changed(address))
            # The reader of the mail is the owner: guesses by others must not lock them out in this network.
            await self.sessions.devices.remember(tx, user_id, client)
            await self.sessions.end_all(tx, user_id)
            return user_id

        return await self.database.write(system_scope(client), work)
