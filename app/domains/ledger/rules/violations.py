"""The rules that a block or a transaction can break."""

from enum import StrEnum


class Violation(StrEnum):
    """Which rule a block or a transaction breaks."""

    # The header against the chain below it.
    MALFORMED_HEADER = "malformed_header"
    WRONG_HEIGHT = "wrong_height"
    WRONG_PREVIOUS_HASH = "wrong_previous_hash"
    WRONG_DIFFICULTY = "wrong_difficulty"
    TOO_LITTLE_WORK = "too_little_work"
    TIME_TOO_OLD = "time_too_old"
    TIME_TOO_NEW = "time_too_new"
    # The block as a whole.
    EMPTY_BLOCK = "empty_block"
    BLOCK_TOO_LARGE = "block_too_large"
    MUTATED_MERKLE_TREE = "mutated_merkle_tree"
    MERKLE_ROOT_MISMATCH = "merkle_root_mismatch"
    DUPLICATE_TRANSACTION = "duplicate_transaction"
    PARENT_AFTER_CHILD = "parent_after_child"
    SPENT_TWICE_IN_BLOCK = "spent_twice_in_block"
    # The coinbase.
    FIRST_NOT_COINBASE = "first_not_coinbase"
    SECOND_COINBASE = "second_coinbase"
    WRONG_COINBASE_HEIGHT = "wrong_coinbase_height"
    WRONG_COINBASE_AMOUNT = "wrong_coinbase_amount"
    SIGNED_COINBASE = "signed_coinbase"
    # One transaction.
    MALFORMED_TRANSACTION = "malformed_transaction"
    WRONG_NETWORK = "wrong_network"
    OUTPUT_NOT_AVAILABLE = "output_not_available"
    IMMATURE_COINBASE = "immature_coinbase"
    WRONG_OWNER = "wrong_owner"
    VALUE_NOT_CONSERVED = "value_not_conserved"
    UNKNOWN_PUBLIC_KEY = "unknown_public_key"
    BAD_SIGNATURE = "bad_signature"


class RuleBroken(Exception):
    """A block or a transaction that the ledger refuses.

    `transaction_index` is the position in the block; None for the block as a whole or a transaction on its own.
    """

    def __init__(self, violation: Violation, detail: str, transaction_index: int | None = None) -> None:
        where = "" if transaction_index is None else f"transaction {transaction_index}: "
        super().__init__(f"{violation}: {where}{detail}")
        self.violation = violation
        self.detail = detail
        self.transaction_index = transaction_index
