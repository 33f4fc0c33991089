"""The nouns of the ledger."""

from app.schema.ledger.blocks import Block, Chain
from app.schema.ledger.transactions import InclusionProof, Output, Transaction
from app.schema.ledger.wallets import Beneficiary, UnsignedTransaction, Wallet, WalletPending

__all__ = [
    "Beneficiary",
    "Block",
    "Chain",
    "InclusionProof",
    "Output",
    "Transaction",
    "UnsignedTransaction",
    "Wallet",
    "WalletPending",
]
