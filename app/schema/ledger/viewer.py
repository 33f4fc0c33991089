"""What the ledger adds to the viewer."""

import strawberry

from app.domains.ledger import loaders
from app.engine.pages import Connection
from app.engine.relations import paged, related
from app.schema.ledger.wallets import Beneficiary, Wallet


@strawberry.type(description="The viewer in the ledger.")
class LedgerViewer:
    """The viewer in the ledger."""

    wallet: Wallet | None = related(
        loaders.wallet_by_user, key="user_id", description="The viewer's wallet; null for accounts without one."
    )
    beneficiaries: Connection[Beneficiary] = paged(
        loaders.beneficiaries_by_user, key="user_id", description="Saved recipients, the newest first."
    )
