"""The payer of a payment, and the choice of coins."""

from uuid import UUID

import msgspec

from app.domains.ledger.model import MAX_INPUTS, InsufficientFunds, TooManyCoins, UnconfirmedChainTooLong, WalletKey
from app.domains.ledger.rules import selection
from app.domains.ledger.rules.amounts import to_coins, to_units
from app.domains.ledger.rules.selection import Candidate, Selection, select_coins
from app.domains.ledger.rules.spending import ChainRules
from app.domains.ledger.rules.transaction import OutPoint
from app.domains.ledger.services.payments import MAX_ANCESTORS, next_block_rules, total_ancestors
from app.domains.ledger.statements import PayerRow

SMALLEST_COINS = 64
"""How many of the smallest coins are candidates besides the largest, so that small coins are merged."""


class Coin(msgspec.Struct, frozen=True):
    """A spendable output. `height` is None while it is unconfirmed change; `ancestors` is its transaction's bound."""

    outpoint: OutPoint
    units: int
    height: int | None
    is_coinbase: bool
    ancestors: int


class Payer(msgspec.Struct, frozen=True, kw_only=True):
    """The wallet that pays, its chain and its coins. `key` is None for an external wallet."""

    wallet_id: str
    public_key: bytes
    key: WalletKey | None
    recipient_exists: bool
    rules: ChainRules
    next_height: int
    balance_units: int
    coins: list[Coin]


def payer_of(row: PayerRow, user_id: UUID) -> Payer:
    """Returns the payer in base units. Raises Unavailable before genesis."""
    rules, next_height = next_block_rules(row)
    key = None
    if row.kek_id is not None and row.wrapped_key is not None and row.ciphertext is not None:
        key = WalletKey(row.wallet_id, user_id, row.kek_id, row.wrapped_key, row.ciphertext)
    coins = zip(
        row.hashes or (),
        row.indexes or (),
        row.units or (),
        row.heights or (),
        row.coinbases or (),
        row.ancestors or (),
        strict=True,
    )
    return Payer(
        wallet_id=row.wallet_id,
        public_key=row.public_key,
        key=key,
        recipient_exists=row.recipient_exists,
        rules=rules,
        next_height=next_height,
        balance_units=to_units(row.balance),
        coins=[
            Coin(OutPoint(bytes.fromhex(transaction_hash), index), units, height, is_coinbase, ancestors)
            for transaction_hash, index, units, height, is_coinbase, ancestors in coins
        ],
    )


def choose_coins(payer: Payer, amount_units: int, fee_units: int) -> tuple[Selection, int]:
    """Returns the coins to spend and a bound on their unconfirmed ancestors. Unconfirmed change is the last resort.

    Raises InsufficientFunds, TooManyCoins, UnconfirmedChainTooLong.
    """
    confirmed = [coin for coin in payer.coins if coin.height is not None]
    unconfirmed = sorted((coin for coin in payer.coins if coin.height is None), key=lambda coin: coin.ancestors)
    # Those with the fewest ancestors, as long as all of them together stay within the limit.
    allowed: dict[bytes, int] = {}
    near: list[Coin] = []
    for coin in unconfirmed:
        allowed.setdefault(coin.outpoint.transaction_hash, coin.ancestors)
        if sum(ancestors + 1 for ancestors in allowed.values()) > MAX_ANCESTORS:
            break
        near.append(coin)
    for coins in (confirmed, confirmed + near):
        try:
            chosen = select_coins(_candidates(payer, coins), amount_units, fee_units)
        except (selection.InsufficientFunds, selection.TooManyInputs):
            continue
        spent = {coin.outpoint for coin in chosen.chosen}
        parents = {coin.outpoint.transaction_hash: coin.ancestors for coin in near if coin.outpoint in spent}
        return chosen, total_ancestors(parents)
    needed_units = amount_units + fee_units
    if payer.balance_units < needed_units:
        raise InsufficientFunds(to_coins(payer.balance_units))
    if len(near) < len(unconfirmed) and sum(coin.units for coin in payer.coins) >= needed_units:
        raise UnconfirmedChainTooLong
    largest = sorted((coin.units for coin in payer.coins), reverse=True)[:MAX_INPUTS]
    raise TooManyCoins(to_coins(max(sum(largest) - fee_units, 0)))


def _candidates(payer: Payer, coins: list[Coin]) -> list[Candidate]:
    return [
        Candidate(coin.outpoint, coin.units, 0 if coin.height is None else payer.next_height - coin.height)
        for coin in coins
    ]
