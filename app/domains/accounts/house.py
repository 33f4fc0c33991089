"""The house of accounts."""

from collections.abc import Sequence

from app.domains.accounts import loaders
from app.domains.accounts.jobs import accounts_jobs, accounts_schedules
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.profiles import HasExchange
from app.domains.accounts.services.registration import CheckPublicKey, PrepareForUser
from app.kit.house import House, Port, Wiring

PREPARATIONS = Port[Sequence[PrepareForUser]]("preparations")
"""What makes everything that a new user begins with."""
CHECK_PUBLIC_KEY = Port[CheckPublicKey]("check_public_key")
"""Checks the public key that a new user brings."""

HAS_EXCHANGE = Port[HasExchange]("has_exchange")
"""Whether a user can trade with real money."""


def _build(wiring: Wiring) -> AccountsServices:
    resources = wiring.resources
    return AccountsServices.build(
        settings=resources.settings,
        secret=resources.secret,
        database=resources.database,
        redis=resources.redis,
        clock=resources.clock,
        events=resources.events,
        mailer=resources.mailer,
        keyring=resources.keyring,
        passwords=resources.passwords,
        preparations=wiring.port(PREPARATIONS),
        check_public_key=wiring.port(CHECK_PUBLIC_KEY),
        has_exchange=wiring.port(HAS_EXCHANGE),
    )


ACCOUNTS = House(
    name="accounts",
    build=_build,
    services=AccountsServices,
    loaders=(loaders,),
    jobs=accounts_jobs,
    schedules=accounts_schedules,
)
