"""The balances of a profile: sums over the user's portfolios."""

from decimal import Decimal
from typing import Any

import strawberry

from app.domains.accounts import model as accounts
from app.domains.trading.portfolios import loaders
from app.engine.declarations.extensions import extension_of
from app.schema.accounts.profile import Profile
from app.schema.context import Info

CONVERTED = "Australian dollars are converted at the newest quote, and left out while there is none."


def _balance(mode: str, what: str) -> Any:
    async def resolve(root: accounts.Profile, info: Info) -> Decimal:
        balances = await info.context.reads.one(loaders.balances_by_user, root.user_id)
        total: Decimal = Decimal("0E-8") if balances is None else getattr(balances, mode)
        return total

    description = f"{what} in all portfolios of the user, in the quote currency. {CONVERTED}"
    return strawberry.field(resolver=resolve, graphql_type=Decimal, description=description)


@extension_of(Profile)
class ProfileBalances:
    """What the user trades with."""

    paper_balance: Decimal = _balance("paper", "Play money")
    live_balance: Decimal = _balance("live", "Real money")
