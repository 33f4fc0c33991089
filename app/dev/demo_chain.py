"""A short history for a new installation: 200 blocks with real work, and payments among the demo users."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from app.domains.accounts.model import Viewer
from app.domains.ledger.model import TransferCommand
from app.domains.ledger.rules.difficulty import RETARGET_INTERVAL_BLOCKS
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.chain import solved
from app.domains.ledger.statements import WalletSql
from app.kit.clock import FixedClock
from app.kit.db import Database

BLOCKS = 200
SEED = 2026
# Seconds between blocks in each retarget interval. The first five come about twice as fast as the target and cost a bit
# each, the next three four times as fast, two bits each: from 3 bits to 14, which a worker with the default 2,000
# hashes a second finds every 8 seconds. From there on the pace is the target's.
PACES_S = ((2, 7),) * 5 + ((1, 4),) * 3 + ((4, 16),) * 2
PAYMENTS_PER_BLOCK = (0, 1, 1, 2, 2, 3, 4)
LARGEST_PAYMENT = 60
MEMOS = (
    "Coffee and cake",
    "Rent, my half",
    "Concert tickets",
    "Train to Zürich",
    "Thank you!",
    "Lunch on Friday",
    "Book club",
    "Invoice 2026-11",
    "Birthday present 🎁",
    "Bicycle repair",
    "Garden tools",
    "",
)


async def load_demo_chain(
    ledger: LedgerServices,
    database: Database,
    clock: FixedClock,
    people: Sequence[Viewer],
    progressed: Callable[[int, int], None],
) -> bool:
    """Mines and pays in the minutes up to `clock.now()`; False if there is a chain already.

    `clock` must be the clock of the services of `ledger`: it is set back, and ends at its former time. The users are
    verified and have custodial wallets. `progressed` is called with (blocks made, blocks in all).
    """
    found = await database.fetch(WalletSql.wallets_by_users, [person.user_id for person in people])
    wallets = {wallet.user_id: wallet.wallet_id for wallet in found}
    if not await ledger.chain.ensure_genesis(wallets[people[0].user_id]):
        return False
    chance = random.Random(SEED)
    gaps_s = [chance.randint(*PACES_S[height // RETARGET_INTERVAL_BLOCKS]) for height in range(1, BLOCKS)]
    clock.advance(timedelta(seconds=-sum(gaps_s)))
    all_can_pay_from = ledger.chain.coinbase_maturity + len(people)
    payments = 0
    for height, gap_s in enumerate(gaps_s, start=1):
        if height > all_can_pay_from:
            for _ in range(chance.choice(PAYMENTS_PER_BLOCK)):
                payments += 1
                payer, payee = chance.sample(people, 2)
                command = TransferCommand(
                    recipient_wallet_id=wallets[payee.user_id],
                    amount=Decimal(chance.randint(1, LARGEST_PAYMENT * 100)) / 100,
                    fee=Decimal(chance.randint(10, 500)) / 100_000,
                    memo=chance.choice(MEMOS),
                )
                await ledger.transfers.transfer(payer, command, f"demo {payments}")
        clock.advance(timedelta(seconds=gap_s))
        # In turn until every user has a reward, then at random.
        miner = people[height % len(people)] if height <= len(people) else chance.choice(people)
        wallet_id = wallets[miner.user_id]
        template = await ledger.chain.template(wallet_id)
        await ledger.chain.connect(await solved(template.block), wallet_id)
        progressed(height + 1, BLOCKS)
    return True
