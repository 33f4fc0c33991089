"""The chain, rebuilt in memory from its stored bytes."""

from collections.abc import Iterable

from app.domains.ledger import model
from app.domains.ledger.rules.block import MAX_FUTURE_SECONDS, check_block
from app.domains.ledger.rules.progress import NETWORK, Progress
from app.domains.ledger.rules.spending import COINBASE_MATURITY_BLOCKS, ChainRules, Utxo
from app.domains.ledger.rules.transaction import OutPoint
from app.domains.ledger.rules.utxo_hash import utxo_set_hash
from app.domains.ledger.rules.violations import RuleBroken
from app.domains.ledger.services.replay.stored_block import Inconsistency, StoredBlock, check_against, decoded
from app.kit.crypto.rsa import verify


class ReplayedChain:
    """The chain so far. It keeps the unspent outputs, but no blocks."""

    def __init__(self, info: model.ChainState | None) -> None:
        network, maturity = (
            (NETWORK, COINBASE_MATURITY_BLOCKS) if info is None else (info.network, info.coinbase_maturity)
        )
        self.rules = ChainRules(network=network, verify=verify, coinbase_maturity_blocks=maturity)
        self.claimed_height = -1 if info is None else info.tip_height
        self.progress = Progress.before_genesis()
        self.unspent: dict[OutPoint, Utxo] = {}
        self.public_keys: dict[bytes, bytes] = {}
        self.transactions = 0
        self.burned_units = 0
        self.ahead = 0

    def utxo_set_hash(self) -> bytes:
        """Returns the hash of the outputs that are unspent now."""
        return utxo_set_hash(self.unspent.items())

    def connect_all(self, blocks: Iterable[StoredBlock]) -> None:
        """Connects stored blocks. Raises Inconsistency at the first that does not fit."""
        for stored in blocks:
            height = self.progress.height + 1
            if stored.row.height != height:
                raise Inconsistency(height, "the block is missing")
            self._connect(stored)

    def _connect(self, stored: StoredBlock) -> None:
        block = decoded(stored)
        now_s, honest_s = int(stored.row.created_at.timestamp()), block.header.timestamp_s - MAX_FUTURE_SECONDS
        # A block that was accepted once stays valid: a later reader cannot know which clock it was checked against.
        is_ahead = now_s < honest_s
        try:
            delta = check_block(
                block,
                self.progress.tip,
                now_s=max(now_s, honest_s),
                utxo=self.unspent.get,
                public_key=self.public_keys.get,
                rules=self.rules,
            )
        except RuleBroken as broken:
            raise Inconsistency(stored.row.height, str(broken)) from None
        check_against(stored, block, delta)
        self.unspent |= delta.created
        for outpoint in delta.spent:
            del self.unspent[outpoint]
        self.ahead += is_ahead
        self.transactions += len(block.transactions)
        self.burned_units += delta.burned_units
        self.progress = self.progress.after(block.header, delta.block_hash)
