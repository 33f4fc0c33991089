"""A synthetic chain for reading: every constraint of the tables holds, and every sum adds up; no signature is real."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

WALLETS: Final = 1_000
BLOCKS: Final = 10_000
TRANSACTIONS_PER_BLOCK: Final = 20
"""The coinbase among them."""

_SUBSIDY_UNITS = 500 * 10**8
_FEE_UNITS = 10**4
_COIN = Decimal(10**8)
_BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
_BLOCK_TIME = timedelta(seconds=10)
_PUBLIC_KEY_BYTES = 294  # RSA-2048 as DER
_ENCODING_BYTES = 220
_SIGNATURE_BYTES = 256

Row = tuple[Any, ...]


class Chain:
    """Rows of the ledger's tables, a block at a time: `blocks()` first, then the others.

    The same seed makes the same chain.
    """

    def __init__(self, seed: int = 2) -> None:
        self._random = random.Random(seed)
        keys = [self._random.randbytes(_PUBLIC_KEY_BYTES) for _ in range(WALLETS)]
        self.user_ids = [self._uuid() for _ in range(WALLETS)]
        self.wallets: list[Row] = [
            (sha256(key).hexdigest(), user_id, key, "external", _BEGIN)
            for key, user_id in zip(keys, self.user_ids, strict=True)
        ]
        self.transactions: list[Row] = []
        self.outputs: dict[tuple[str, int], list[Any]] = {}
        self._ids = [wallet[0] for wallet in self.wallets]
        # What each wallet may spend, newest last; a wallet enters `_payers` with its first coin.
        self._coins: dict[str, list[tuple[str, int]]] = {wallet_id: [] for wallet_id in self._ids}
        self._payers: list[str] = []
        self.tip_hash = "0" * 64

    def blocks(self) -> Iterator[Row]:
        """Each block's row, in order; fills `transactions` and `outputs` on the way."""
        for height in range(BLOCKS):
            at = _BEGIN + height * _BLOCK_TIME
            miner, block_id = self._random.choice(self._ids), self._uuid()
            fees = _FEE_UNITS * (TRANSACTIONS_PER_BLOCK - 1)
            self._coinbase(miner, _SUBSIDY_UNITS + fees, at, block_id, height)
            for position in range(1, TRANSACTIONS_PER_BLOCK):
                self._payment(at, block_id, height, position)
            block_hash = self._hash()
            yield (
                block_id, height, block_hash, self.tip_hash, 1, self._hash(), at, 8, self._random.getrandbits(32),
                miner, _coins(_SUBSIDY_UNITS + fees), _coins(fees), TRANSACTIONS_PER_BLOCK, 8_000,
            )  # fmt: skip
            self.tip_hash = block_hash

    def balances(self) -> Iterator[Row]:
        """Each wallet's unspent coins."""
        for wallet_id, user_id, *_ in self.wallets:
            units = sum(self.outputs[coin][3] for coin in self._coins[wallet_id])
            yield wallet_id, user_id, _coins(units), _BEGIN

    def output_rows(self) -> Iterator[Row]:
        """Each output, spent or not."""
        for transaction_hash, index, wallet_id, units, *rest in self.outputs.values():
            yield transaction_hash, index, wallet_id, _coins(units), *rest

    def info(self) -> Row:
        """The tip and its sums."""
        return (
            b"MNTA", 10, self.tip_hash, BLOCKS - 1, _coins(_SUBSIDY_UNITS * BLOCKS), BLOCKS * TRANSACTIONS_PER_BLOCK,
            BLOCKS, 8, Decimal(10), 21_000, 0,
        )  # fmt: skip

    def _coinbase(self, miner: str, units: int, at: datetime, block_id: UUID, height: int) -> None:
        digest, encoding = self._encoding()
        self.transactions.append(
            (digest, None, miner, _coins(units), Decimal(0), "", at, None, encoding, len(encoding), "confirmed",
             block_id, height, 0)
        )  # fmt: skip
        self._pay(digest, 0, miner, units, height, is_coinbase=True)

    def _payment(self, at: datetime, block_id: UUID, height: int, position: int) -> None:
        sender, coin = self._spendable()
        digest, encoding = self._encoding()
        spent = self.outputs[coin]
        spent[7:9] = digest, 0
        units = spent[3] - _FEE_UNITS
        paid = self._random.randint(units // 4, units // 2)
        recipient = self._random.choice(self._ids)
        while recipient == sender:
            recipient = self._random.choice(self._ids)
        size = len(encoding) + _SIGNATURE_BYTES
        self.transactions.append(
            (digest, sender, recipient, _coins(paid), _coins(_FEE_UNITS), f"Invoice {height}/{position}", at,
             self._random.randbytes(_SIGNATURE_BYTES), encoding, size, "confirmed", block_id, height, position)
        )  # fmt: skip
        self._pay(digest, 0, recipient, paid, height)
        self._pay(digest, 1, sender, units - paid, height, is_change=True)

    def _spendable(self) -> tuple[str, tuple[str, int]]:
        while True:
            sender = self._random.choice(self._payers)
            coins = self._coins[sender]
            if coins and self.outputs[coins[-1]][3] > 100 * _FEE_UNITS:
                return sender, coins.pop()

    def _pay(
        self, digest: str, index: int, wallet_id: str, units: int, height: int, *,
        is_coinbase: bool = False, is_change: bool = False,
    ) -> None:  # fmt: skip
        self.outputs[digest, index] = [digest, index, wallet_id, units, is_coinbase, is_change, height, None, None]
        coins = self._coins[wallet_id]
        if not coins and wallet_id not in self._payers:
            self._payers.append(wallet_id)
        coins.append((digest, index))

    def _encoding(self) -> tuple[str, bytes]:
        encoding = self._random.randbytes(_ENCODING_BYTES)
        return sha256(encoding).hexdigest(), encoding

    def _hash(self) -> str:
        return self._random.randbytes(32).hex()

    def _uuid(self) -> UUID:
        return UUID(bytes=self._random.randbytes(16), version=4)


def _coins(units: int) -> Decimal:
    return units / _COIN
