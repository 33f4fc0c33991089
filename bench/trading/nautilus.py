"""Beside: the order book of nautilus_trader, in Rust, where `NAUTILUS_PYTHON` names a Python that has it.

It keeps a book and says what a quantity would cost; it neither checks, reserves nor fills, which is what Moneta's book
does in the same mix of operations: 45% add an order, 45% delete one, 10% ask for what a market order would meet.
"""

import os
import subprocess
from typing import Final

import msgspec

PYTHON: Final = "NAUTILUS_PYTHON"

_SCRIPT: Final = """
import random, sys, time
import nautilus_trader
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder
from nautilus_trader.model.enums import BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

resting, operations = int(sys.argv[1]), int(sys.argv[2])
draw = random.Random(12)

def order(number):
    is_buy = draw.random() < 0.5
    price = 50_000 * (1 + (-1 if is_buy else 1) * (0.001 + draw.random() * 0.05))
    return BookOrder(
        OrderSide.BUY if is_buy else OrderSide.SELL, Price(price, 2), Quantity(0.1 + draw.random(), 8), number
    )

book = OrderBook(InstrumentId.from_str("BTC-USD.SIM"), BookType.L3_MBO)
known = [order(number) for number in range(1, resting + 1)]
for each in known:
    book.add(each, 0)
run = []
for number in range(resting + 1, resting + operations + 1):
    chance = draw.random()
    if chance < 0.45:
        known.append(order(number))
        run.append((book.add, (known[-1], 0)))
    elif chance < 0.9:
        run.append((book.delete, (known.pop(draw.randrange(len(known))), 0)))
    else:
        run.append((book.get_avg_px_for_quantity, (Quantity(1, 8), OrderSide.BUY)))
begun = time.process_time()
for operation, arguments in run:
    operation(*arguments)
print(f'["{nautilus_trader.__version__}", {operations / (time.process_time() - begun)}]')
"""


def operations_per_s(resting: int, operations: int) -> tuple[str, float] | None:
    """Its version, and its operations a second; None where there is none."""
    if (python := os.environ.get(PYTHON)) is None:
        return None
    said = subprocess.run([python, "-c", _SCRIPT, str(resting), str(operations)], capture_output=True, check=True)
    return msgspec.json.decode(said.stdout, type=tuple[str, float])
