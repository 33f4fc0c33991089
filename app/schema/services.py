"""The verbs of every house, as the composition root wires them."""

from dataclasses import dataclass

from app.domains.accounts.services import AccountsServices
from app.domains.ledger.services import LedgerServices
from app.domains.market.house import MarketServices


@dataclass(frozen=True)
class Services:
    """Every service a resolver may call."""

    accounts: AccountsServices
    ledger: LedgerServices
    market: MarketServices
