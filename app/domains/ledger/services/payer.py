"""Who pays, and with which coins."""

from typing import Any
from uuid import UUID

import msgspec

from app.domains.ledger.model import InsufficientFunds, TooManyCoins, UnconfirmedChainTooLong, WalletKey
from app.domains.ledger.rules import selection
from app.domains.ledger.rules.amounts import to_coins, to_units
from app.domains.ledger.rules.selection import Candidate, Selection, select_coins
from app.domains.ledger.rules.spending import ChainRules
from app.domains.ledger.rules.transaction import MAX_INPUTS, OutPoint
from app.domains.ledger.services.payments import MAX_ANCESTORS, chain_rules, total_ancestors

SMALLEST_COINS = 64
"""Beside the largest, so many of the smallest coins are offered, to be tidied away."""


class Coin(msgspec.Struct, frozen=True):
    """A spendable output. `height` is None while it is unconfirmed change; `ancestors` is its transaction's bound."""

    outpoint: OutPoint
    units: int
    height: int | None
    is_coinbase: bool
    ancestors: int


class Payer(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays, on which chain, from which coins. A wallet without a key here is external."""

    wallet_id: str
    public_key: bytes
    key: WalletKey | None
    recipient_exists: bool
    rules: ChainRules
    next_height: int
    balance_units: int
    coins: list[Coin]


def read_payer(row: Any, user_id: UUID) -> Payer:
    """A row of the statement `payer`. Raises Unavailable before there is a chain."""
    rules = chain_rules(row["network"], row["coinbase_maturity"])
    wallet_id = row["wallet_id"]
    key = None
    if row["kek_id"] is not None:
        key = WalletKey(wallet_id, user_id, row["kek_id"], row["wrapped_key"], row["ciphertext"])
    columns = [row[name] or () for name in ("hashes", "indexes", "units", "heights", "coinbases", "ancestors")]
    return Payer(
        wallet_id=wallet_id,
        public_key=row["public_key"],
        key=key,
        recipient_exists=row["recipient_exists"],
        rules=rules,
        next_height=row["tip_height"] + 1,
        balance_units=to_units(row["balance"]),
        coins=[
            Coin(OutPoint(bytes.fromhex(hash_), place), *rest) for hash_, place, *rest in zip(*columns, strict=True)
        ],
    )


def choose(payer: Payer, amount_units: int, fee_units: int) -> tuple[Selection, int]:
    """The coins to spend and a bound on their unconfirmed ancestors. Unconfirmed change is the last resort.

    Raises InsufficientFunds, TooManyCoins, UnconfirmedChainTooLong.
    """
    confirmed = [coin for coin in payer.coins if coin.height is not None]
    unconfirmed = sorted((coin for coin in payer.coins if coin.height is None), key=lambda coin: coin.ancestors)
    # Those with the fewest ancestors, as long as even all of them together stay within the limit.
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
