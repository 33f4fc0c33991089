"""Clients that place and cancel orders through the graph, and repeat each request until it is answered."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from app.engine.declarations.nodes import key_of
from app.schema.trading.orders.orders import Order
from app.schema.trading.portfolios import Portfolio
from tests.streams.deployment import ApiUser
from tests.waiting import elapse, now

FAILURE = "__typename ... on Problem { code message }"
CREATE = f"""
mutation($input: CreatePortfolioInput!) {{
  answer: createPortfolio(input: $input) {{ ... on CreatePortfolioPayload {{ portfolio {{ id }} }} {FAILURE} }}
}}
"""
PLACE = f"""
mutation($input: PlaceOrderInput!) {{
  answer: placeOrder(input: $input) {{ ... on PlaceOrderPayload {{ order {{ id status }} }} {FAILURE} }}
}}
"""
CANCEL = f"""
mutation($input: CancelOrderInput!) {{
  answer: cancelOrder(input: $input) {{ ... on CancelOrderPayload {{ order {{ id }} }} {FAILURE} }}
}}
"""
CANCEL_ALL = f"""
mutation($input: CancelAllOrdersInput!) {{
  answer: cancelAllOrders(input: $input) {{ ... on CancelAllOrdersPayload {{ orderCount }} {FAILURE} }}
}}
"""
BOOK = "query($symbol: String!) { answer: orderBook(symbol: $symbol, levels: 1) { bids { priceUsd } } }"
SYMBOLS = ("BTC", "ETH")
FIRST_PURCHASE_USD = "2500"
ORDER_USD = 12
RESTING = 15
"""Open orders of a trader, of which the oldest is then cancelled."""
RETRY_S = 0.1
EXPECTED_ERRORS = {"MAINTENANCE"}
"""The codes with which a request may fail while something is down."""


class Desk:
    """What all traders share: the way to the graph, prices, and whether to trade now."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(60), limits=httpx.Limits())
        self.trading = asyncio.Event()
        self.prices: dict[str, Decimal] = {}
        self.repeated = 0
        """Requests whose answer did not come, and that were sent again."""
        self.errors = Counter[str]()
        """The codes of errors with which requests were answered."""
        self._url = f"{url}/graphql"

    async def ask(self, person: ApiUser, document: str, **variables: Any) -> Any:
        """The answer, however often it takes."""
        body = {"query": document, "variables": variables}
        headers = {"authorization": f"Bearer {person.token}"}
        while True:
            try:
                response = await self.http.post(self._url, json=body, headers=headers)
                said = response.json()
                if "errors" not in said:
                    return said["data"]["answer"]
                self.errors.update(error["extensions"]["code"] for error in said["errors"])
            except httpx.TransportError:
                # It may have been done, or not.
                pass
            self.repeated += 1
            await elapse(RETRY_S)

    async def look(self, person: ApiUser) -> bool:
        """Reads prices; returns whether there are any."""
        for symbol in SYMBOLS:
            book = await self.ask(person, BOOK, symbol=symbol)
            if book is None or not book["bids"]:
                return False
            self.prices[symbol] = Decimal(book["bids"][0]["priceUsd"])
        return True


@dataclass
class Trader:
    """A portfolio of a person, whose orders come at a steady rate while `Desk.trading` is set."""

    desk: Desk
    person: ApiUser
    name: str
    rate: float
    id: str = ""
    """Of the portfolio, in the graph."""
    busy: bool = False
    placed: dict[str, UUID] = field(default_factory=dict)
    """The order that was answered to each idempotency key."""
    refused: Counter[str] = field(default_factory=Counter)
    cancelled: list[UUID] = field(default_factory=list)
    """Orders whose cancellation was answered."""
    _resting: list[str] = field(default_factory=list)
    _number: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.name)

    @property
    def portfolio_id(self) -> UUID:
        key: UUID = key_of(self.id, Portfolio)
        return key

    @property
    def answered(self) -> int:
        return len(self.placed) + self.refused.total()

    async def begin(self) -> None:
        """Opens the portfolio, and buys what is then sold."""
        given = {"name": self.name, "idempotencyKey": f"open {self.name}"}
        answer = await self.desk.ask(self.person, CREATE, input=given)
        self.id = answer["portfolio"]["id"]
        for symbol in SYMBOLS:
            await self._place(symbol, "BUY", {"market": {"quoteAmountUsd": FIRST_PURCHASE_USD}})

    async def run(self) -> None:
        """Trades until it is cancelled, which may only happen while nobody trades."""
        due = now()
        while True:
            await self.desk.trading.wait()
            self.busy = True
            try:
                await self._trade()
            finally:
                self.busy = False
            due = max(due + 1 / self.rate, now() - 1)
            await elapse(max(0.0, due - now()))

    async def _trade(self) -> None:
        chance = self._chance
        if len(self._resting) > RESTING or (self._resting and chance.random() < 0.15):
            await self._cancel(self._resting.pop(0))
            return
        symbol, side = chance.choice(SYMBOLS), chance.choice(("BUY", "SELL"))
        price = self.desk.prices[symbol]
        quantity = f"{Decimal(ORDER_USD) * chance.randint(50, 150) / 100 / price:.8f}"
        if chance.random() < 0.4:
            await self._place(symbol, side, {"market": {"quantity": quantity}})
            return
        # About the price: some meet others at once, some wait for them or for a move, some for long.
        limit = price * Decimal(chance.randint(-20, 20) + 10_000) / 10_000
        terms = {"limit": {"quantity": quantity, "priceUsd": f"{Decimal(f'{limit:.5g}'):f}"}}
        await self._place(symbol, side, terms)

    async def _place(self, symbol: str, side: str, terms: dict[str, Any]) -> None:
        self._number += 1
        key = f"{self.name} {self._number}"
        order = {"symbol": symbol, "side": side, "type": terms}
        given = {"portfolioId": self.id, "order": order, "idempotencyKey": key}
        # Some are impatient, and send it twice at once.
        times = 2 if self._chance.random() < 0.05 else 1
        answers = await asyncio.gather(*(self.desk.ask(self.person, PLACE, input=given) for _ in range(times)))
        for answer in answers:
            if "order" not in answer:
                self.refused[answer["__typename"]] += 1
                continue
            order_id = key_of(answer["order"]["id"], Order)
            assert self.placed.setdefault(key, order_id) == order_id, "one key, two orders"
        if "limit" in terms and "order" in answers[0]:
            self._resting.append(answers[0]["order"]["id"])

    async def _cancel(self, id: str) -> None:
        answer = await self.desk.ask(self.person, CANCEL, input={"id": id})
        # Filled before, or cancelled by the request whose answer was lost.
        assert "order" in answer or answer["__typename"] == "OrderNotOpen", answer
        self.cancelled.append(key_of(id, Order))

    async def end(self) -> None:
        """Leaves no order open."""
        await self.desk.ask(self.person, CANCEL_ALL, input={"portfolioId": self.id})
