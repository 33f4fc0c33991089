"""Verification of e-mail addresses, by a one-time code or a link."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.domains.accounts.model import AuthEvent, Client, VerificationInvalid
from app.domains.accounts.rules import identity, mails
from app.domains.accounts.services.auth_log import AuthLog, system_scope
from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.accounts.statements import VerificationSql
from app.kit.addresses import source_of
from app.kit.clock import Clock
from app.kit.crypto import tokens
from app.kit.db import Database, Tx
from app.kit.errors import Faults
from app.kit.ratelimit import Limit, RateLimiter

PURPOSE: Final = "verify_email"
LINK_TTL: Final = timedelta(days=1)
RESEND_JOB: Final = "accounts.resend-verification"
RESEND_LIMIT = Limit("resend-verification", 5, timedelta(hours=1))
"""Requests for one account from one network."""
RESEND_GAP: Final = timedelta(minutes=2)
"""A request this soon after the last one sends no mail: a code and a link are on their way and stay valid."""
STRANGERS_RESEND_GAP: Final = timedelta(hours=1)
"""For requests from unknown networks: they must not invalidate the code and the link that the user waits for."""
RESERVED_GUESSES: Final = 2
"""Guesses at a code that are reserved for the user's known networks, so that others cannot use them up."""


@dataclass(frozen=True)
class Verification:
    """Issues and checks verification codes and links."""

    database: Database
    clock: Clock
    limiter: RateLimiter
    auth_log: AuthLog
    mail_queue: MailQueue
    otp_secret: bytes
    otp_ttl: timedelta
    otp_max_guesses: int
    origin: str

    async def issue(self, tx: Tx, user_id: UUID, email: str, client: Client) -> None:
        """Mails a new code and a new link, and invalidates the previous ones."""
        now = self.clock.now()
        code, token = tokens.new_otp(), tokens.new_token()
        await tx.execute(VerificationSql.supersede_otps, user_id, PURPOSE, now)
        await tx.execute(
            VerificationSql.insert_otp, user_id, email, PURPOSE, self._digest(user_id, code), now + self.otp_ttl, now
        )
        await tx.execute(VerificationSql.set_verification_token, user_id, tokens.digest(token), now + LINK_TTL, now)
        await self.auth_log.record(tx, AuthEvent.VERIFICATION_SENT, client, user_id)
        minutes = int(self.otp_ttl.total_seconds() // 60)
        link = f"{self.origin}/verify?token={token}"
        await self.mail_queue.send(tx, mails.verification(email, code, link, minutes))

    async def verify_by_code(self, email: str, code: str, client: Client) -> UUID:
        """Verifies an address by its code. Returns the user's id.

        Raises InvalidInput; VerificationInvalid, and the guess counts.
        """
        with Faults() as faults:
            address, code = faults.check(identity.email, email), faults.check(identity.otp_code, code)

        async def work(tx: Tx) -> UUID | None:
            now = self.clock.now()
            bounds = (self.otp_max_guesses, max(1, self.otp_max_guesses - RESERVED_GUESSES))
            source = source_of(client.ip)
            guessed = await tx.fetch_one(VerificationSql.guess_otp, address, PURPOSE, now, *bounds, source)
            if guessed is None:
                return None
            code_id, user_id, code_digest = guessed
            if not tokens.same_digest(self._digest(user_id, code), code_digest):
                await self.auth_log.record(tx, AuthEvent.EMAIL_VERIFIED, client, user_id, error="wrong code")
                return None
            await tx.execute(VerificationSql.use_otp, code_id, now)
            await self._mark_verified(tx, user_id, client)
            return user_id

        # Raised outside the transaction: inside, it would roll back the counted guess.
        user_id = await self.database.write(system_scope(client), work)
        if user_id is None:
            raise VerificationInvalid
        return user_id

    async def verify_by_link(self, token: str, client: Client) -> UUID:
        """Verifies an address by a mailed link. Returns the user's id. Raises VerificationInvalid."""

        async def work(tx: Tx) -> UUID:
            now = self.clock.now()
            user_id = await tx.fetch_one(VerificationSql.lock_verification_token, tokens.digest(token), now)
            if user_id is None:
                raise VerificationInvalid
            await tx.execute(VerificationSql.supersede_otps, user_id, PURPOSE, now)
            await self._mark_verified(tx, user_id, client)
            return user_id

        return await self.database.write(system_scope(client), work)

    async def request_resend(self, email: str, client: Client) -> None:
        """Requests another mail. Neither result nor timing reveals whether the address has an unverified account.

        Raises InvalidInput, RateLimited, Unavailable.
        """
        address = identity.email(email)
        await self.limiter.charge(RESEND_LIMIT.of(f"{address}:{source_of(client.ip)}"))
        content = {"email": address, "ip": client.ip, "user_agent": client.user_agent}
        await self.database.write(system_scope(client), lambda tx: self.mail_queue.enqueue(tx, RESEND_JOB, content))

    async def resend(self, email: str, client: Client) -> None:
        """Handles such a request in the worker. Sends nothing if the user is unknown, verified or was just mailed."""

        async def work(tx: Tx) -> None:
            user = await tx.fetch_one(VerificationSql.lock_unverified, email, source_of(client.ip))
            if user is None:
                return
            sent_at, gap = user.verification_sent_at, RESEND_GAP if user.by_source else STRANGERS_RESEND_GAP
            if sent_at is None or sent_at <= self.clock.now() - gap:
                await self.issue(tx, user.id, user.email, client)

        await self.database.write(system_scope(client), work)

    async def _mark_verified(self, tx: Tx, user_id: UUID, client: Client) -> None:
        await tx.execute(VerificationSql.verify_user, user_id)
        await self.auth_log.record(tx, AuthEvent.EMAIL_VERIFIED, client, user_id)

    def _digest(self, user_id: UUID, code: str) -> str:
        return tokens.keyed_digest(code, secret=self.otp_secret, scope=f"{PURPOSE}:{user_id}")
