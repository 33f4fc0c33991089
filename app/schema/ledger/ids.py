"""Identifiers in the ledger: how clients name wallets and other objects."""

import re
from typing import Annotated

import strawberry

from app.domains.ledger import loaders, model
from app.kit.errors import NotFound
from app.schema.context import Info
from app.schema.scalars import Hash

_HASH = re.compile(r"[0-9a-f]{64}")

OwnWalletId = Annotated[
    Hash | None,
    strawberry.argument(description="The `walletId` of the viewer's own wallet, which is also the default."),
]


def is_hash(text: str) -> bool:
    """Whether this is a hash or a wallet ID."""
    return _HASH.fullmatch(text) is not None


def parse_hash(text: str) -> str:
    """Returns a hash or a wallet ID. Raises ValueError."""
    if not is_hash(text):
        raise ValueError("not a hash")
    return text


async def own_wallet_id(info: Info, wallet_id: str | None) -> str:
    """Returns the ID of the viewer's wallet. Raises NotFound if there is none, or `wallet_id` is another's."""
    viewer = info.context.require_viewer()
    wallet = await info.context.reads.one(loaders.wallet_by_user, viewer.user_id)
    if wallet is None or wallet_id not in (None, wallet.wallet_id):
        raise NotFound(model.Wallet, path=None if wallet_id is None else ("wallet_id",))
    return wallet.wallet_id
