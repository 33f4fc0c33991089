"""What accounts can do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from app.domains.accounts.services.administration import Administration
from app.domains.accounts.services.audit import Audit
from app.domains.accounts.services.credentials import RESET_LIMIT, Credentials
from app.domains.accounts.services.devices import Devices
from app.domains.accounts.services.journal import Journal
from app.domains.accounts.services.maintenance import Maintenance
from app.domains.accounts.services.post import Post
from app.domains.accounts.services.profiles import Profiles
from app.domains.accounts.services.published import Published
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
    """The verbs of the house, by noun."""

    registration: Registration
    verification: Verification
    sessions: Sessions
    credentials: Credentials
    profiles: Profiles
    administration: Administration
    audit: Audit
    post: Post
    users: Users
    maintenance: Maintenance
    published: Published

    @property
    def limits(self) -> tuple[Limit, ...]:
        """How often strangers and users may try what can be guessed or abused."""
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
        """`secret` is what the keys of access tokens and of one-time codes are derived from."""
        limiter = RateLimiter(redis, clock)
        journal = Journal(database, clock)
        post = Post(keyring, mailer)
        login_limit = Limit("login", settings.login_attempts, timedelta(seconds=settings.login_window_s))
        devices = Devices(database, clock, derive(secret, "device-tokens"), login_limit)
        otp_secret, otp_ttl = derive(secret, "otp-codes"), timedelta(seconds=settings.otp_ttl_s)
        guesses, origin = settings.otp_max_guesses, settings.origin
        verification = Verification(database, clock, limiter, journal, post, otp_secret, otp_ttl, guesses, origin)
        registration = Registration(
            database, clock, passwords, keyring, limiter, journal, verification, devices, prepare_wallet
        )
        access_tokens = AccessTokens(derive(secret, "access-tokens"), TOKEN_ISSUER, TOKEN_AUDIENCE)
        access_ttl = timedelta(seconds=settings.access_token_ttl_s)
        refresh_ttl = timedelta(seconds=settings.refresh_token_ttl_s)
        sessions = Sessions(
            database, clock, events, passwords, access_tokens, limiter, journal, access_ttl, refresh_ttl, devices
        )
        credentials = Credentials(database, clock, passwords, limiter, journal, post, sessions, origin)
        administration = Administration(database, clock, keyring, journal, registration, sessions)
        return cls(
            registration=registration,
            verification=verification,
            sessions=sessions,
            credentials=credentials,
            profiles=Profiles(database),
            administration=administration,
            audit=Audit(database, clock),
            post=post,
            users=Users(database),
            maintenance=Maintenance(database, clock),
            published=Published(database, passwords),
        )
