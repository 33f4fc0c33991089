"""The house of ledger in the graph."""

from app.domains.ledger.house import LEDGER as DOMAIN
from app.engine.declarations.key_scopes import NEVER, PUBLIC
from app.schema.composition import GraphHouse
from app.schema.ledger.beneficiaries import Beneficiary, BeneficiaryMutation, BeneficiaryViewer
from app.schema.ledger.blocks import Block, BlockQuery, BlockSubscription
from app.schema.ledger.chain import ChainQuery
from app.schema.ledger.mempool import MempoolQuery, MempoolSubscription
from app.schema.ledger.mining import MiningSubscription
from app.schema.ledger.payments import PaymentMutation
from app.schema.ledger.transactions import Transaction, TransactionQuery, TransactionSubscription
from app.schema.ledger.wallets import Wallet, WalletQuery, WalletSubscription, WalletViewer

LEDGER = GraphHouse(
    domain=DOMAIN,
    query=(
        ChainQuery,
        MempoolQuery,
        BlockQuery,
        TransactionQuery,
        WalletQuery,
    ),
    mutation=(
        PaymentMutation,
        BeneficiaryMutation,
    ),
    subscription=(
        BlockSubscription,
        MempoolSubscription,
        TransactionSubscription,
        WalletSubscription,
        MiningSubscription,
    ),
    viewer=(
        WalletViewer,
        BeneficiaryViewer,
    ),
    nodes=(
        Beneficiary,
        Block,
        Transaction,
        Wallet,
    ),
    key_scopes={
        "*": NEVER,
        "blocks": PUBLIC,
        "chain": PUBLIC,
        "mempool": PUBLIC,
        "mining": PUBLIC,
        "transactions": PUBLIC,
        "TransactionUpdateEvent": NEVER,
        "Wallet": PUBLIC,
        "WalletPending": PUBLIC,
    },
)
