"""Services of the accounts house."""

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
from app.domains.accounts.services.profiles import Profiles
from app.domains.accounts.services.registration import REGISTRATION_LIMIT, PrepareWallet, Registration
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
        prepare_wallet: PrepareWallet,
    ) -> Self:
        """Builds them. The keys of access tokens, device tokens and one-time codes are derived from `secret`."""
        limiter = RateLimiter(redis, clock)
        auth_log = AuthLog(database, clock)
        mail_queue = MailQueue(keyring, mailer)
        devices = Devices(
            database=database,
            clock=clock,
            secret=derive(secret, "device-tokens"),
            limit=Limit("login", settings.login_attempts, timedelta(seconds=settings.login_window_s)),
        )
        verification = _verification(settings, secret, database, clock, limiter, auth_log, mail_queue)
        registration = Registration(
            database=database,
            clock=clock,
            passwords=passwords,
            keyring=keyring,
            limiter=limiter,
            auth_log=auth_log,
            verification=verification,
            devices=devices,
            prepare_wallet=prepare_wallet,
        )
        sessions = _sessions(settings, secret, database, clock, events, passwords, limiter, auth_log, devices)
        credentials = Credentials(
            database=database,
            clock=clock,
            passwords=passwords,
            limiter=limiter,
            auth_log=auth_log,
            mail_queue=mail_queue,
            sessions=sessions,
            origin=settings.origin,
        )
        administration = Administration(database, clock, keyring, auth_log, registration, sessions)
        return cls(
            registration=registration,
            verification=verification,
            sessions=sessions,
            credentials=credentials,
            profiles=Profiles(database),
            administration=administration,
            audit=Audit(database, clock),
            mail_queue=mail_queue,
            users=Users(database),
            maintenance=Maintenance(database, clock),
            demo_access=DemoAccess(database, passwords),
        )


def _verification(  # noqa: PLR0917  # seven different types: no two can be confused
    settings: Settings,
    secret: str,
    database: Database,
    clock: Clock,
    limiter: RateLimiter,
    auth_log: AuthLog,
    mail_queue: MailQueue,
) -> Verification:
    return Verification(
        database=database,
        clock=clock,
        limiter=limiter,
        auth_log=auth_log,
        mail_queue=mail_queue,
        otp_secret=derive(secret, "otp-codes"),
        otp_ttl=timedelta(seconds=settings.otp_ttl_s),
        otp_max_guesses=settings.otp_max_guesses,
        origin=settings.origin,
    )


def _sessions(  # noqa: PLR0917  # nine different types: no two can be confused
    settings: Settings,
    secret: str,
    database: Database,
    clock: Clock,
    events: EventLog,
    passwords: Passwords,
    limiter: RateLimiter,
    auth_log: AuthLog,
    devices: Devices,
) -> Sessions:
    return Sessions(
        database=database,
        clock=clock,
        events=events,
        passwords=passwords,
        access_tokens=AccessTokens(derive(secret, "access-tokens"), TOKEN_ISSUER, TOKEN_AUDIENCE),
        limiter=limiter,
        auth_log=auth_log,
        access_ttl=timedelta(seconds=settings.access_token_ttl_s),
        refresh_ttl=timedelta(seconds=settings.refresh_token_ttl_s),
        devices=devices,
    )
