"""Calls of every mutation with a key, and what may come between a call and its replay."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import msgspec
from graphql import build_schema

from app.domains.accounts.model import Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.accounts.services.registration import REGISTRATION_LIMIT
from app.domains.ledger.services import LedgerServices
from app.domains.market.services import MarketServices
from app.domains.tenancy.services import TenancyServices
from app.domains.trading.backtests.model import MAX_UNFINISHED
from app.domains.trading.services import TradingServices
from app.kit.clock import FixedClock
from tests.factories import CLIENT
from tests.graph import campaign_inputs, replay_inputs
from tests.graph.stage import Stage
from tests.graph.transcripts import HERE

SDL = build_schema((HERE.parents[1] / "schema.graphql").read_text())
KEY = "idempotencyKey"
Change = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """A call that is accepted, another input, and what may come between it and its replay."""

    type: str
    selection: str
    by: str | None
    input: Callable[[Stage, str], Awaitable[dict[str, Any]]]
    """For a variant: two of them are different inputs."""
    changes: dict[str, Change]
    """Each makes a new call refused."""


async def _nothing(stage: Stage) -> None:
    """What the call itself has done is enough."""


def _set(services: type[Any], service: str, name: str, value: Any) -> Change:
    async def change(stage: Stage) -> None:
        object.__setattr__(getattr(stage.services[services], service), name, value)

    return change


def _sql(statement: str) -> Change:
    async def change(stage: Stage) -> None:
        await stage.owner.execute(statement)

    return change


async def _unverify(stage: Stage) -> None:
    # The world itself is every test's.
    viewers = stage.world.viewers.items()
    viewers_now = {name: msgspec.structs.replace(viewer, is_verified=False) for name, viewer in viewers}
    stage.world = replace(stage.world, viewers=viewers_now)


async def _fill_mempool(stage: Stage) -> None:
    await _set(LedgerServices, "mempool", "limit", 1)(stage)
    await _later(stage, timedelta(seconds=2))


async def _later(stage: Stage, by: timedelta = timedelta(days=2)) -> None:
    cast(FixedClock, stage.application.clock).advance(by)


async def _years_later(stage: Stage) -> None:
    await _later(stage, timedelta(days=800))


async def _guess_codes(stage: Stage) -> None:
    for _ in range(REGISTRATION_LIMIT.attempts):
        await stage.services[AccountsServices].registration.limiter.charge(REGISTRATION_LIMIT.of(CLIENT.ip))


async def _simulate(stage: Stage) -> None:
    """As many back-tests as can wait at once."""
    given = await replay_inputs.backtest(stage, "waiting")
    for number in range(MAX_UNFINISHED):
        await Caller(stage, "runBacktest").call(given, f"waiting {number}")


async def _replacement(stage: Stage, variant: str) -> dict[str, Any]:
    """A change of an order that the exchange has."""
    if "replaced" not in stage.names:
        placed = await Caller(stage, "placeOrder").accepted(await replay_inputs.order(stage, "placed"), "placed")
        stage.names["replaced"] = placed["order"]["id"]
        await stage.match()
    return {"id": stage.names["replaced"], "priceUsd": f"{40000 + len(variant)}.0"}


SUSPENDED: dict[str, Change] = {"status": _sql("UPDATE tenants SET subscription_status = 'suspended'")}
TRANSFERRING = {
    "transfers": _sql(
        "INSERT INTO participant_exports (id, tenant_id, livemode, created_at)"
        " SELECT gen_random_uuid(), id, true, now() FROM tenants, generate_series(1, 3)"
    )
}
"""After which no file is imported or exported."""
LIVE = "UPDATE portfolios SET initial_balance = 0, mode = 'live'"
HALT = "INSERT INTO trading_halts (user_id) SELECT user_id FROM portfolios GROUP BY user_id"
UNTRADED = {
    "age": _later,
    "halt": _sql(HALT),
    "status": _sql("UPDATE portfolios SET status = 'resetting'"),
}
"""After which nothing is traded."""
UNSIMULATED = {"candles": _sql("DELETE FROM candles"), "limit": _simulate}
"""After which nothing is simulated."""
SCENARIOS = {
    "transfer": Scenario(
        "TransferPayload",
        "transaction { hash }",
        "alice",
        replay_inputs.transfer,
        {
            "mempool": _fill_mempool,
            "verification": _unverify,
        },
    ),
    "submitTransaction": Scenario(
        "SubmitTransactionPayload",
        "transaction { hash }",
        "carol",
        replay_inputs.submission,
        {"mempool": _fill_mempool, "verification": _unverify, "age": _later},
    ),
    "addBeneficiary": Scenario(
        "AddBeneficiaryPayload", "beneficiary { id name }", "alice", replay_inputs.beneficiary, {"existence": _nothing}
    ),
    "createAlert": Scenario(
        "CreateAlertPayload",
        "alert { id }",
        "alice",
        replay_inputs.alert,
        {"limit": _set(MarketServices, "alerts", "limit", 1), "expiry": _later},
    ),
    "addToWatchlist": Scenario(
        "AddToWatchlistPayload",
        "item { id notes }",
        "alice",
        replay_inputs.watched,
        {"existence": _nothing, "limit": _set(MarketServices, "watchlist", "limit", 0)},
    ),
    "createTenant": Scenario(
        "CreateTenantPayload",
        "tenant { id slug }",
        "alice",
        replay_inputs.tenant,
        {"limit": _set(TenancyServices, "tenants", "limit", 1)},
    ),
    "createProject": Scenario(
        "CreateProjectPayload",
        "project { id name }",
        "alice",
        campaign_inputs.project,
        {
            "limit": _sql("UPDATE tenants SET max_projects = 1"),
            "status": _sql("UPDATE tenants SET subscription_status = 'suspended'"),
        },
    ),
    **{
        name: Scenario(f"{name[0].upper()}{name[1:]}Payload", shown, "alice", given, changes | SUSPENDED)
        for name, shown, given, changes in (
            ("createParticipant", "participant { id username }", campaign_inputs.participant, {"existence": _nothing}),
            ("importParticipants", "participantImport { id columnFields }", campaign_inputs.imported, TRANSFERRING),
            ("joinProject", "participation { id participant { id } }", campaign_inputs.joining, {}),
            ("leaveProject", "participation { id }", campaign_inputs.participation, {}),
            ("banParticipant", "participation { id }", campaign_inputs.ban, {"state": _nothing}),
            ("unbanParticipant", "participation { id }", campaign_inputs.unban, {}),
            ("verifyParticipation", "participation { id }", campaign_inputs.verification, {}),
            ("adjustPoints", "pointEntry { id note }", campaign_inputs.adjustment, {}),
            ("completeTask", "completion { id proofText }", campaign_inputs.completion, {"number": _nothing}),
            ("reviewCompletion", "completion { id status }", campaign_inputs.review, {"state": _nothing}),
        )
    },
    # Whatever the subscription allows.
    "exportParticipants": Scenario(
        "ExportParticipantsPayload",
        "participantExport { id isVerifiedFilter }",
        "alice",
        campaign_inputs.exported,
        TRANSFERRING,
    ),
    "trackProjectEvent": Scenario(
        "TrackProjectEventPayload",
        "trackedCount project { name }",
        "alice",
        campaign_inputs.tracked,
        {
            "status": _sql("UPDATE tenants SET subscription_status = 'suspended'"),
            "archived": _sql("UPDATE projects SET archived_at = now()"),
        },
    ),
    "inviteMember": Scenario(
        "InviteMemberPayload",
        "invitation { id email }",
        "alice",
        replay_inputs.invitation,
        {
            "status": _sql("UPDATE tenants SET subscription_status = 'cancelled'"),
        },
    ),
    "createApiKey": Scenario(
        "CreateApiKeyPayload",
        "apiKey { id name }",
        "alice",
        replay_inputs.api_key,
        {"status": _sql("UPDATE tenants SET subscription_status = 'cancelled'")},
    ),
    "rotateApiKey": Scenario(
        "RotateApiKeyPayload",
        "apiKey { id name }",
        "alice",
        replay_inputs.rotation,
        {
            "status": _sql("UPDATE tenants SET subscription_status = 'cancelled'"),
            "revoked": _sql("UPDATE api_keys SET revoked_at = now()"),
        },
    ),
    "createPortfolio": Scenario(
        "CreatePortfolioPayload",
        "portfolio { id name }",
        "alice",
        replay_inputs.portfolio,
        {"limit": _set(TradingServices, "portfolios", "limit", 1)},
    ),
    "connectExchange": Scenario(
        "ConnectExchangePayload",
        "exchangeAccount { id label }",
        "alice",
        replay_inputs.account,
        {
            "plan": _sql("UPDATE profiles SET subscription_tier = 'free'"),
            "limit": _set(TradingServices, "exchange_accounts", "limit", 1),
        },
    ),
    "depositPaper": Scenario(
        "DepositPaperPayload",
        "portfolio { id } entry { id }",
        "alice",
        replay_inputs.payment,
        {"status": _sql("UPDATE portfolios SET status = 'resetting'"), "mode": _sql(LIVE)},
    ),
    "withdrawPaper": Scenario(
        "WithdrawPaperPayload",
        "portfolio { id } entry { id }",
        "alice",
        replay_inputs.payment,
        {"funds": _sql("UPDATE cash_balances SET reserved = balance"), "mode": _sql(LIVE)},
    ),
    "resetPortfolio": Scenario(
        "ResetPortfolioPayload",
        "portfolio { id } entry { id }",
        "alice",
        replay_inputs.reset,
        {"status": _sql("UPDATE portfolios SET status = 'deleting'"), "mode": _sql(LIVE)},
    ),
    "placeOrder": Scenario(
        "PlaceOrderPayload", "order { id }", "alice", replay_inputs.order, UNTRADED | {"mode": _sql(LIVE)}
    ),
    "placeBracket": Scenario(
        "PlaceBracketPayload",
        "entryOrder { id } takeProfitOrder { id } stopLossOrder { id }",
        "alice",
        replay_inputs.bracket,
        UNTRADED | {"mode": _sql(LIVE)},
    ),
    "replaceOrder": Scenario("ReplaceOrderPayload", "order { id }", "alice", _replacement, UNTRADED),
    "createBot": Scenario(
        "CreateBotPayload",
        "bot { id name }",
        "alice",
        replay_inputs.bot,
        {
            "limit": _set(TradingServices, "bots", "limit", 1),
            "mode": _sql(LIVE),
            "status": _sql("UPDATE portfolios SET status = 'resetting'"),
        },
    ),
    "runBacktest": Scenario(
        "RunBacktestPayload", "backtest { id symbol }", "alice", replay_inputs.backtest, UNSIMULATED
    ),
    "runSweep": Scenario("RunSweepPayload", "sweep { id runCount }", "alice", replay_inputs.sweep, UNSIMULATED),
    "trackEvent": Scenario(
        "TrackEventPayload",
        "isRecorded",
        "alice",
        replay_inputs.event,
        {"rate": _set(TradingServices, "analytics", "limit", 1)},
    ),
    "publishNews": Scenario(
        "PublishNewsPayload",
        "articles { id } ingested { published known }",
        "admin",
        replay_inputs.news,
        {"age": _years_later},
    ),
    "createAccessCodes": Scenario(
        "CreateAccessCodesPayload", "accessCodes { id code }", "admin", replay_inputs.codes, {"existence": _nothing}
    ),
    "register": Scenario(
        "RegisterPayload",
        "user { id }",
        None,
        replay_inputs.person,
        {"code spent": _nothing, "rate": _guess_codes, "code gone": _sql("DELETE FROM access_codes")},
    ),
}


class Caller:
    """A caller of one mutation."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name
        self.scenario = SCENARIOS[name]

    @property
    def viewer(self) -> Viewer | None:
        return None if self.scenario.by is None else self.stage.world.viewers[self.scenario.by]

    async def call(self, input: dict[str, Any], key: str) -> dict[str, Any]:
        type_name = f"{self.name[0].upper()}{self.name[1:]}Input"
        document = f"""mutation M($input: {type_name}!) {{ {self.name}(input: $input) {{
            __typename ... on {self.scenario.type} {{ {self.scenario.selection} }} ... on Problem {{ message }} }} }}"""
        response = await self.stage.execute(document, {"input": {**deepcopy(input), KEY: key}}, self.viewer)
        assert response.errors == []
        answer: dict[str, Any] = cast(Any, response.data)[self.name]
        return answer

    async def accepted(self, input: dict[str, Any], key: str) -> dict[str, Any]:
        answer = await self.call(input, key)
        assert answer["__typename"] == self.scenario.type, answer
        return answer
