"""Services of the ledger house."""

from dataclasses import dataclass
from typing import Self

from app.domains.ledger.services.beneficiaries import Beneficiaries
from app.domains.ledger.services.chain import Chain
from app.domains.ledger.services.keys import Keys
from app.domains.ledger.services.mempool import Mempool
from app.domains.ledger.services.statistics import Statistics
from app.domains.ledger.services.submissions import Submissions
from app.domains.ledger.services.transfers import Transfers
from app.domains.ledger.services.wallets import Wallets
from app.kit.clock import Clock
from app.kit.crypto.envelope import Keyring
from app.kit.db import Database
from app.kit.events import EventLog


@dataclass(frozen=True)
class LedgerServices:
    """All services of the house. The worker creates the miner."""

    keys: Keys
    wallets: Wallets
    transfers: Transfers
    submissions: Submissions
    mempool: Mempool
    beneficiaries: Beneficiaries
    chain: Chain
    statistics: Statistics

    @classmethod
    def build(
        cls, database: Database, clock: Clock, events: EventLog, keyring: Keyring, *, coinbase_maturity: int
    ) -> Self:
        """Builds them."""
        keys = Keys(database, clock, keyring)
        mempool = Mempool(database, clock, events)
        return cls(
            keys=keys,
            wallets=Wallets(keys),
            transfers=Transfers(database, clock, events, keys, mempool),
            submissions=Submissions(database, clock, events, mempool),
            mempool=mempool,
            beneficiaries=Beneficiaries(database, clock),
            chain=Chain(database, clock, events, coinbase_maturity),
            statistics=Statistics(database),
        )
