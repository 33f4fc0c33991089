"""Services of the accounts house."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from app.domains.accounts.services.administration import Administration
from app.domains.accounts.services.audit import Audit
from app.domains.accounts.services.auth_log import AuthLog
from app.domains.accounts.services.credentials import RESET_LIMIT, Credentials
from app.domains.accounts.services.demo_access import DemoAccess
from app.domains.accounts.services.devices import Devices
from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.accounts.services.maintenance import Maintenance
from app.domains.accounts.services.profiles import HasExchange, Profiles
from app.domains.accounts.services.registration import REGISTRATION_LIMIT, CheckPublicKey, PrepareForUser, Registration
from app.domains.accounts.services.sessions import Sessions
from app.domains.accounts.services.users import Users
from app.domains.accounts.services.verification import RESEND_LIMIT, Verification
from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring
from app.kit.crypto.local import derive
from app.kit.crypto.passwords import Passwords
from app.kit.crypto.tokens import AccessTokens
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.mail import Mailer
from app.kit.ratelimit import Limit, RateLimiter, Redis
from app.settings import Settings

TOKEN_ISSUER = "moneta"  # noqa: S105  # a name
TOKEN_AUDIENCE = "moneta-api"  # noqa: S105


@dataclass(frozen=True)
class AccountsServices:
    """All services of the house."""

    registration: Registration
    verification: Verification
    sessions: Sessions
    credentials: Credentials
    profiles: Profiles
    administration: Administration
    audit: Audit
    mail_queue: MailQueue
    users: Users
    maintenance: Maintenance
    demo_access: DemoAccess

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Rate limits of everything that can be guessed or abused."""
        return *self.sessions.devices.limits, REGISTRATION_LIMIT, RESEND_LIMIT, RESET_LIMIT

    @classmethod
    def build(
        cls,
        *,
        settings: Settings,
        secret: str,
        database: Database,
        redis: Redis,
        clock: Clock,
        events: EventLog,
        mailer: Mailer,
        keyring: Keyring,
        passwords: Passwords,
        preparations: Sequence[PrepareForUser],
        check_public_key: CheckPublicKey,
        has_exchange: HasExchange,
    ) -> Self:
        """Builds them. The keys of access tokens, device tokens and one-time codes are derived from `secret`."""
        limiter = RateLimiter(redis, clock)
        auth_log = AuthLog(database, clock)
        mail_queue = MailQueue(keyring, mailer)
        login_limit = Limit("login", settings.login_attempts, timedelta(seconds=settings.login_window_s))
        devices = Devices(database, clock, derive(secret, "device-tokens"), login_limit)
        otp_secret, otp_ttl = derive(secret, "otp-codes"), timedelta(seconds=settings.otp_ttl_s)
        guesses, origin = settings.otp_max_guesses, settings.origin
        verification = Verification(
            database, clock, limiter, auth_log, mail_queue, otp_secret, otp_ttl, guesses, origin
        )
        registration = Registration(
            database,
            clock,
            passwords,
            keyring,
            limiter,
            auth_log,
            verification,
            devices,
            preparations,
            check_public_key,
        )
        access_tokens = AccessTokens(derive(secret, "access-tokens"), TOKEN_ISSUER, TOKEN_AUDIENCE)
        access_ttl = timedelta(seconds=settings.access_token_ttl_s)
        refresh_ttl = timedelta(seconds=settings.refresh_token_ttl_s)
        sessions = Sessions(
            database, clock, events, passwords, access_tokens, limiter, auth_log, access_ttl, refresh_ttl, devices
        )
        credentials = Credentials(database, clock, passwords, limiter, auth_log, mail_queue, sessions, origin)
        return cls(
            registration=registration,
            verification=verification,
            sessions=sessions,
            credentials=credentials,
            profiles=Profiles(database, has_exchange),
            administration=Administration(database, clock, keyring, auth_log, registration, sessions),
            audit=Audit(database, clock),
            mail_queue=mail_queue,
            users=Users(database),
            maintenance=Maintenance(database, clock),
            demo_access=DemoAccess(database, passwords),
        )
