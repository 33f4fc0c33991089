"""The verbs of the ledger."""

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
    """Every service of the ledger. A miner is made where there is something to mine for."""

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
        """Wires them."""
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
