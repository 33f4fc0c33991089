"""The house of the ledger."""

from collections.abc import Coroutine
from typing import Any

from app.domains.accounts.house import ACCOUNTS
from app.domains.accounts.model import PublicUser
from app.domains.accounts.services import AccountsServices
from app.domains.ledger import loaders
from app.domains.ledger.counters import COUNTERS
from app.domains.ledger.jobs import ledger_schedules
from app.domains.ledger.model import Wallet
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.miner import Miner
from app.kit.db import PUBLIC
from app.kit.errors import NotFound
from app.kit.house import House, Wiring
from app.kit.reads import Reads
from app.kit.volatile import VolatileTopics


def _build(wiring: Wiring) -> LedgerServices:
    resources = wiring.resources
    return LedgerServices.build(
        resources.database,
        resources.clock,
        resources.events,
        resources.keyring,
        coinbase_maturity=resources.settings.coinbase_maturity,
    )


async def _tasks(wiring: Wiring, services: LedgerServices) -> list[Coroutine[Any, Any, None]]:
    email = wiring.resources.settings.miner_email
    return [] if email is None else [(await build_miner(wiring, services, email)).run()]


async def build_miner(wiring: Wiring, services: LedgerServices, email: str) -> Miner:
    """A miner whose rewards go to this user's wallet; makes the genesis block where there is no chain."""
    resources = wiring.resources
    user = await wiring.services[AccountsServices].users.by_email(email)
    if user is None:
        raise NotFound(PublicUser, f"MONETA_MINER_EMAIL names {email}, but nobody is registered with it.")
    wallet = await Reads(resources.database, PUBLIC).one(loaders.wallet_by_user, user.id)
    if wallet is None:
        raise NotFound(Wallet, f"{email} has no wallet.")
    await services.chain.ensure_genesis(wallet.wallet_id)
    return Miner(
        services.chain, wallet.wallet_id, resources.settings.mining_hashes_per_s, VolatileTopics(resources.redis)
    )


LEDGER = House(
    name="ledger",
    build=_build,
    services=LedgerServices,
    knows=(ACCOUNTS,),
    loaders=(loaders,),
    schedules=ledger_schedules,
    tasks=_tasks,
    counters=COUNTERS,
)
