"""Where a transcript is played: the services, the people, and the values that were kept."""

import base64
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.services import CampaignsServices
from app.domains.market.prices.model import Quote
from app.domains.market.prices.services.recorder import Recorder
from app.domains.market.prices.services.ticker import Ticker
from app.domains.market.services import MarketServices
from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.domains.trading.matching.services.prices import PriceNotes
from app.domains.trading.services import TradingServices
from app.engine.execution.operations import ExecutionPath, Response
from app.kit.clock import FixedClock
from app.kit.crypto.rsa import sign
from app.kit.house import jobs_of
from app.kit.mail import FolderMailer, Message
from app.kit.volatile import VolatileTopics
from app.main import DOMAINS, Application
from tests.conftest import Execute
from tests.databases import Owner
from tests.domains.trading.venues.stub import StubExchange
from tests.factories import CLIENT
from tests.graph.execution_paths import asks_for_several_types
from tests.graph.freshness import stale_reads
from tests.graph.transcripts import RECORDING, filled, given, kept, recorded
from tests.graph.world import World, mine

KEY: Final = "key:"
"""Before the text of an API key, in `as`."""


@dataclass
class Stage:
    """Plays steps. `names` grows with what they keep. Requests of Alice and Bob name their tenant, or the one that the
    step has as `tenant`.
    """

    world: World
    application: Application
    execute: Execute
    owner: Owner
    paths: Counter[ExecutionPath]
    exchange: StubExchange
    mails: int = 0

    def __post_init__(self) -> None:
        self.names = dict(self.world.names)
        self.services = self.application.services
        execute, tenancies = self.execute, {each.user_id: each for each in self.world.tenancies.values()}

        async def in_tenant(
            query: str,
            variables: dict[str, Any] | None = None,
            viewer: Viewer | None = None,
            *,
            operation_name: str | None = None,
            tenancy: Tenancy | None = None,
        ) -> Response:
            acting = tenancy or (None if viewer is None else tenancies.get(viewer.user_id))
            return await execute(query, variables, viewer, operation_name=operation_name, tenancy=acting)

        self.execute = in_tenant

    async def play(self, document: str, step: dict[str, Any]) -> None:
        """Plays one step and holds it against what was expected, or records what came."""
        clock = self.application.clock
        assert isinstance(clock, FixedClock)
        clock.advance(timedelta(seconds=step.get("wait", 0)))
        for _ in range(step.get("mine", 0)):
            await mine(self.services, clock, self.names, "admin")
        if "prices" in step:
            await self.feed(step["prices"])
        if "plan" in step:
            user_id = self.world.viewers[step["as"]].user_id
            await self.owner.execute(
                "UPDATE profiles SET subscription_tier = $1 WHERE user_id = $2", step["plan"], user_id
            )
        for name, value in step.get("stub", {}).items():
            setattr(self.exchange, name, value)
        if step.get("exchange"):
            await self.serve_exchanges(fills=step["exchange"] == "fills")
        for text in step.get("uploads", []):
            await self._upload(step, text)
        for _ in range(step.get("times", 1)):
            variables = given(step.get("variables", {}), self.names)
            viewer = await self._viewer(step["as"])
            tenancy = await self._tenancy(step["as"], viewer, step.get("tenant"))
            self._hold(step, await self._execute(document, variables, viewer, step["operation"], tenancy))
        if not step.get("idle"):
            await self._work()
        if "file" in step:
            await self._hold_file(step)
        await self._hold_mail(step)
        if "sign" in step:
            encoding = base64.b64decode(given(step["sign"], self.names))
            signature = sign(self.world.carols_key.private_der, encoding)
            self.names["signature"] = base64.b64encode(signature).decode()

    async def _tenancy(self, name: str, viewer: Viewer | None, slug: str | None) -> Tenancy | None:
        if name.startswith(KEY):
            return await self.services[TenancyServices].api_keys.authenticate(
                given(name.removeprefix(KEY), self.names), CLIENT
            )
        if viewer is None or slug is None:
            return None
        return await self.services[TenancyServices].access.tenancy(viewer.user_id, slug, CLIENT)

    async def _execute(
        self, document: str, variables: dict[str, Any], viewer: Viewer | None, name: str, tenancy: Tenancy | None
    ) -> Response:
        """The answer; it was found the fast way, and what it says of a write was read after the write."""
        before = self.paths.copy()
        with stale_reads() as stale:
            response = await self.execute(document, variables, viewer, operation_name=name, tenancy=tenancy)
        taken = self.paths - before
        if not response.errors:
            in_vain = {ExecutionPath.FELL_BACK, ExecutionPath.FAILED} & taken.keys()
            assert not in_vain, f"{name} is planned in vain, and executed twice"
        if taken:
            assert (ExecutionPath.UNPLANNED in taken) == asks_for_several_types(document, name), f"{name} went {taken}"
        if response.executed and not taken:
            assert stale == [], f"{name} is a mutation, and reads what was read before it wrote"
        return response

    async def feed(self, prices: dict[str, str]) -> None:
        """A tick, as the feed stores it, and what the exchange makes of it."""
        clock, database, redis = self.application.clock, self.application.database, self.application.redis
        ticker = Ticker("simulated", clock, VolatileTopics(redis), every_s=1)
        ticker.due = {name: Quote(name, clock.now(), Decimal(each), Decimal(each)) for name, each in prices.items()}
        followers = [self.services[MarketServices].price_alerts.evaluate, PriceNotes(clock).note]
        await Recorder(database, clock, followers, []).record(ticker)
        await self.match()

    async def _viewer(self, name: str) -> Viewer | None:
        if name == "anonymous" or name.startswith(KEY):
            return None
        if name in self.world.viewers:
            return self.world.viewers[name]
        viewer = await self.services[AccountsServices].sessions.authenticate(given(name, self.names), CLIENT)
        assert viewer is not None, f"{name} is no access token that opens anything"
        return viewer

    def _hold(self, step: dict[str, Any], response: Response) -> None:
        answer = _answer(response)
        expected = {key: step[key] for key in ("data", "errors", "statements") if key in step}
        self.names.update(kept(expected, answer))
        if RECORDING:
            step.update(recorded(answer, expected, self.names))
            for key in expected.keys() - answer.keys():
                del step[key]
        else:
            assert answer == filled(expected, answer, self.names), step["operation"]

    async def serve_exchanges(self, *, fills: bool) -> None:
        """Does what is due at exchanges, as the worker would. There, open orders are filled where that is wanted."""
        venues = self.services[TradingServices].venues
        await venues.lead()
        for _ in range(3):
            await venues.step()
            for order in [each for each in self.exchange.orders.values() if each.is_open and fills]:
                self.exchange.fill(order, order.left, order.asset)
            await venues.step()
        await venues.close()

    async def match(self) -> None:
        """Matches what is in the inbox, as the worker would."""
        matcher = self.services[TradingServices].matcher
        if await self.owner.fetchval("SELECT EXISTS (SELECT FROM exchange_inbox WHERE number IS NULL)"):
            await matcher.lead()
            while (await matcher.match()).commands:
                pass

    async def _work(self) -> None:
        """Does what is queued, as the worker would, until nothing is left."""
        await self.match()
        handlers = {job.name: job.handler for job in jobs_of(DOMAINS, self.services)}
        while rows := await self.owner.fetch("DELETE FROM pgqueuer RETURNING id, entrypoint, payload"):
            for row in sorted(rows, key=lambda row: int(row["id"])):
                await handlers[row["entrypoint"]](msgspec.json.decode(row["payload"]))

    async def _acting(self, step: dict[str, Any]) -> Tenancy:
        viewer = await self._viewer(step["as"])
        if step["as"] in self.world.tenancies and "tenant" not in step:
            return self.world.tenancies[step["as"]]
        acting = await self._tenancy(step["as"], viewer, step.get("tenant"))
        assert acting is not None
        return acting

    async def _upload(self, step: dict[str, Any], text: str) -> None:
        """Sends a file, as `POST /uploads` does."""

        async def body() -> AsyncIterator[bytes]:
            yield text.encode()

        stored = await self.services[CampaignsServices].files.upload(await self._acting(step), body())
        self.names["upload"] = str(stored.id)

    async def _hold_file(self, step: dict[str, Any]) -> None:
        """Fetches a file, as `GET /exports/<id>` does, and compares its lines."""
        path, exports = given(step["file"]["path"], self.names), self.services[CampaignsServices].exports
        _, parts = await exports.open(await self._acting(step), UUID(path.removeprefix("/exports/")))
        lines = b"".join([each async for each in parts]).decode().splitlines()
        if RECORDING:
            step["file"]["lines"] = recorded(lines, step["file"].get("lines"), self.names)
        assert filled(step["file"]["lines"], lines, self.names) == lines

    async def _hold_mail(self, step: dict[str, Any]) -> None:
        assert isinstance(self.application.mailer, FolderMailer)
        entries = await self.application.mailer.recent()
        sent, self.mails = entries[: len(entries) - self.mails], len(entries)
        expected = step.get("mail")
        if expected is None:
            assert sent == [], f"{step['operation']} sent mail that the step does not mention"
            return
        assert [(entry.message.to, entry.message.subject) for entry in sent] == [(expected["to"], expected["subject"])]
        self._find(expected.get("find", {}), sent[0].message)

    def _find(self, patterns: dict[str, str], message: Message) -> None:
        for name, pattern in patterns.items():
            found = re.search(pattern, message.text)
            assert found is not None, message.text
            self.names[name] = found[1]


def _answer(response: Response) -> dict[str, Any]:
    """What a client gets, but for where in the document an error arose, and its cost in statements."""
    errors = [{key: value for key, value in error.items() if key != "locations"} for error in response.errors]
    answer: dict[str, Any] = {"statements": response.statements}
    if response.executed:
        answer["data"] = response.data
    if errors:
        answer["errors"] = errors
    return answer
