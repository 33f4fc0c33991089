"""Sessions: log-in, authentication, refresh and log-out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from app.domains.accounts.model import (
    SESSIONS_STREAM,
    AuthEvent,
    BadCredentials,
    Client,
    Role,
    Session,
    SessionEnded,
    SessionTokens,
    Viewer,
)
from app.domains.accounts.rules import identity
from app.domains.accounts.services.auth_log import AuthLog, origin_of, system_scope
from app.domains.accounts.services.devices import Devices, ReturningClient
from app.domains.accounts.statements import CredentialSql, SessionSql
from app.kit.clock import Clock
from app.kit.crypto.passwords import PasswordCheck, Passwords
from app.kit.crypto.tokens import AccessTokens, TokenError, TokenExpired, digest, new_token
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import InvalidInput, NotFound
from app.kit.events import EventLog, Fact
from app.kit.ratelimit import RateLimiter

REVOKED = "session.revoked"

_HASH_CHECKS: Final = 3
"""How often a correct password is checked again because the stored hash was replaced concurrently."""


def end_of(id: UUID) -> Fact:
    """The fact by which every process closes what is open under a session, or under a membership in a tenant."""
    return Fact(SESSIONS_STREAM, REVOKED, {"session_id": str(id)})


class LoggedIn(NamedTuple):
    """An opened or refreshed session: its viewer and its tokens."""

    viewer: Viewer
    tokens: SessionTokens


@dataclass(frozen=True)
class Sessions:
    """Opens, authenticates, refreshes and ends sessions."""

    database: Database
    clock: Clock
    events: EventLog
    passwords: Passwords
    access_tokens: AccessTokens
    limiter: RateLimiter
    auth_log: AuthLog
    access_ttl: timedelta
    refresh_ttl: timedelta
    devices: Devices

    async def authenticate(self, token: str, client: Client) -> Viewer | None:
        """Returns the viewer of an access token; None if it is malformed, has expired or was revoked."""
        now = self.clock.now()
        try:
            self.access_tokens.verify(token, now)
        except TokenError:
            return None
        session = await self.database.fetch_one(SessionSql.session_of_token, digest(token), now)
        if session is None:
            return None
        role = Role(session.role)
        return Viewer(session.user_id, session.session_id, role, session.is_verified, session.expires_at, client)

    def fault_of(self, token: str) -> str:
        """Returns why `authenticate` refused a token. The message reveals nothing but its age."""
        try:
            self.access_tokens.verify(token, self.clock.now())
        except TokenExpired:
            return "The token has expired."
        except TokenError:
            return "The token is not valid."
        return "The token is not valid any more: its session was ended, or has a newer one."

    async def expiries(self, session_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        """Returns when the current access token of each session expires, without sessions that have ended."""
        rows = await self.database.read(SYSTEM, lambda tx: tx.fetch(SessionSql.session_expiries, list(session_ids)))
        return dict(rows)

    async def login(self, email: str, password: str, client: Client) -> LoggedIn:
        """Opens a session. Neither result nor timing reveals whether the address or the password is wrong.

        Raises BadCredentials, RateLimited, Unavailable. Only wrong passwords count towards the limit. `client` may be
        a ReturningClient.
        """
        proof = client if isinstance(client, ReturningClient) else ReturningClient(client.ip, client.user_agent)
        address = _lenient(email)
        user, charges = await self.devices.look_up(address, proof)
        async with self.limiter.attempt(charges) as attempt:
            for _ in range(_HASH_CHECKS):
                verdict = await self.passwords.verify(password, None if user is None else user.password_hash)
                if user is None or not verdict.ok:
                    break
                opened = await self.database.write(
                    system_scope(client),
                    partial(
                        self._open_checked, user_id=user.id, stored=user.password_hash, verdict=verdict, proof=proof
                    ),
                )
                if opened is not None:
                    return opened
                # The hash was replaced in the meantime, perhaps by a stronger one of the same password.
                user, _ = await self.devices.look_up(address, proof)
            await attempt.count()
        user_id = None if user is None else user.id
        await self.auth_log.record_failure(AuthEvent.FAILED_LOGIN, client, user_id, "wrong e-mail or password")
        raise BadCredentials

    async def open(self, tx: Tx, user_id: UUID, role: Role, is_verified: bool, client: Client) -> LoggedIn:
        """Opens a session for an authenticated user."""
        viewer, tokens, now = self._issue(user_id, uuid4(), role, is_verified, client)
        access, refresh = digest(tokens.access_token), digest(tokens.refresh_token)
        ip, user_agent = origin_of(client)
        ends = (tokens.access_expires_at, tokens.refresh_expires_at)
        await tx.execute(SessionSql.insert_session, tokens.session_id, user_id, access, *ends, now, ip, user_agent)
        await tx.execute(
            SessionSql.insert_refresh_token, refresh, tokens.session_id, user_id, tokens.refresh_expires_at, now
        )
        await self.auth_log.record(tx, AuthEvent.LOGIN, client, user_id)
        return LoggedIn(viewer, tokens)

    async def refresh(self, refresh_token: str, client: Client) -> LoggedIn:
        """Returns the session's next pair of tokens and invalidates the previous pair.

        Raises SessionEnded. If a refresh token is used twice, one of the two clients has stolen it, so the session
        ends for both.
        """
        presented = digest(refresh_token)

        async def work(tx: Tx) -> LoggedIn | None:
            session = await tx.fetch_one(SessionSql.lock_session_of_refresh_token, presented)
            known = None if session is None else await tx.fetch_one(SessionSql.refresh_token, presented)
            if session is None or known is None:
                return None
            session_id, user_id = session
            expires_at, used_at = known
            if expires_at <= self.clock.now():
                return None
            if used_at is not None:
                error = "a used refresh token was presented again"
                await self.auth_log.record(tx, AuthEvent.SECURITY_ALERT, client, user_id, error=error)
                await tx.execute(SessionSql.delete_session, session_id, user_id)
                await self._announce(tx, [session_id])
                return None
            return await self._renew(tx, session_id, user_id, presented, client)

        # Raised outside the transaction: inside, it would roll back the end of the session.
        renewed = await self.database.write(system_scope(client), work)
        if renewed is None:
            raise SessionEnded
        return renewed

    async def logout(self, viewer: Viewer) -> None:
        """Ends the viewer's session. It may have ended already."""
        await self._end(viewer.user_id, viewer.session_id, AuthEvent.LOGOUT, viewer.client)

    async def logout_by_refresh_token(self, refresh_token: str, client: Client) -> None:
        """Ends the session of a browser whose access token has expired. Does nothing for an unknown token."""

        async def work(tx: Tx) -> None:
            session = await tx.fetch_one(SessionSql.lock_session_of_refresh_token, digest(refresh_token))
            if session is not None:
                session_id, user_id = session
                await tx.execute(SessionSql.delete_session, session_id, user_id)
                await self.auth_log.record(tx, AuthEvent.LOGOUT, client, user_id)
                await self._announce(tx, [session_id])

        await self.database.write(system_scope(client), work)

    async def logout_everywhere(self, viewer: Viewer) -> int:
        """Ends all sessions of the viewer, including this one. Returns how many."""

        async def work(tx: Tx) -> int:
            await self.auth_log.record(tx, AuthEvent.LOGOUT, viewer.client, viewer.user_id)
            return await self.end_all(tx, viewer.user_id)

        return await self.database.write(system_scope(viewer.client, viewer.user_id), work)

    async def revoke(self, viewer: Viewer, session_id: UUID) -> None:
        """Ends one of the viewer's sessions. Raises NotFound, also for another user's session."""
        if not await self._end(viewer.user_id, session_id, AuthEvent.SESSION_REVOKED, viewer.client):
            raise NotFound(Session)

    async def end_all(self, tx: Tx, user_id: UUID, *, keep: UUID | None = None) -> int:
        """Ends all sessions of a user except `keep`. Call it last in a transaction. Returns how many were ended."""
        ended = await tx.fetch(SessionSql.delete_sessions, user_id, keep)
        await self._announce(tx, ended)
        return len(ended)

    async def _open_checked(
        self, tx: Tx, *, user_id: UUID, stored: str, verdict: PasswordCheck, proof: ReturningClient
    ) -> LoggedIn | None:
        # First, or two log-ins that both hold a share lock on the row would deadlock upgrading it.
        if verdict.upgraded_hash is not None:
            await tx.execute(CredentialSql.replace_password, user_id, stored, verdict.upgraded_hash)
        current = verdict.upgraded_hash or stored
        user = await tx.fetch_one(CredentialSql.lock_credentials, user_id, current)
        if user is None:
            return None
        role, is_verified = user
        await self.devices.remember(tx, user_id, proof)
        opened = await self.open(tx, user_id, Role(role), is_verified, proof)
        device = proof.device_token
        if device is None or not self.devices.knows(device, user_id, current):
            device = self.devices.issue(user_id, current)
        return LoggedIn(opened.viewer, msgspec.structs.replace(opened.tokens, device_token=device))

    async def _renew(self, tx: Tx, session_id: UUID, user_id: UUID, used: str, client: Client) -> LoggedIn | None:
        user = await tx.fetch_one(SessionSql.viewer_of_session, user_id)
        if user is None:
            return None
        role, is_verified = user
        viewer, tokens, now = self._issue(user_id, session_id, Role(role), is_verified, client)
        ip, user_agent = origin_of(client)
        ends = (tokens.access_expires_at, tokens.refresh_expires_at)
        await tx.execute(SessionSql.use_refresh_token, used, now)
        refresh = digest(tokens.refresh_token)
        await tx.execute(SessionSql.insert_refresh_token, refresh, session_id, user_id, tokens.refresh_expires_at, now)
        await tx.execute(SessionSql.renew_session, session_id, digest(tokens.access_token), *ends, now, ip, user_agent)
        await self.auth_log.record(tx, AuthEvent.SESSION_REFRESHED, client, user_id)
        return LoggedIn(viewer, tokens)

    async def _end(self, user_id: UUID, session_id: UUID, event: AuthEvent, client: Client) -> bool:
        async def work(tx: Tx) -> bool:
            if await tx.fetch_one(SessionSql.delete_session, session_id, user_id) is None:
                return False
            await self.auth_log.record(tx, event, client, user_id)
            await self._announce(tx, [session_id])
            return True

        return await self.database.write(system_scope(client, user_id), work)

    async def _announce(self, tx: Tx, ended: Sequence[UUID]) -> None:
        await self.events.append(tx, [end_of(session_id) for session_id in ended])

    def _issue(
        self, user_id: UUID, session_id: UUID, role: Role, is_verified: bool, client: Client
    ) -> tuple[Viewer, SessionTokens, datetime]:
        now = self.clock.now()
        # A JWT has whole seconds, and the row must agree with it.
        expires_at = datetime.fromtimestamp(int((now + self.access_ttl).timestamp()), UTC)
        tokens = SessionTokens(
            session_id=session_id,
            user_id=user_id,
            access_token=self.access_tokens.issue(user_id, session_id, now, self.access_ttl),
            access_expires_at=expires_at,
            refresh_token=new_token(),
            refresh_expires_at=now + self.refresh_ttl,
        )
        return Viewer(user_id, session_id, role, is_verified, expires_at, client), tokens, now


def _lenient(email: str) -> str:
    """Returns the address as it is stored. A malformed one becomes an unknown one, and is answered alike."""
    try:
        return identity.email(email)
    except InvalidInput:
        # The failures of each are counted separately, as for an address.
        return f"malformed:{digest(email)}"
