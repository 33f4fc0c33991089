"""The public API in transcripts, and that they leave nothing out."""

from collections import Counter
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    parse,
)

from tests.graph.stage import Stage
from tests.graph.transcripts import HERE, RECORDING, Transcript, transcripts, values_of

ROOT = HERE.parents[1]
PATHS = transcripts()
each_transcript = pytest.mark.parametrize(
    "path", PATHS, ids=[str(path.relative_to(HERE).with_suffix("")) for path in PATHS]
)
SDL = build_schema((ROOT / "schema.graphql").read_text())

# What a transcript cannot show, and the tests that do.
SUBSCRIPTIONS = {
    "priceTicks": "tests/schema/market/prices/test_ticks.py",
    "candleTicks": "tests/schema/market/prices/test_ticks.py",
    "watchlistTicks": "tests/schema/market/prices/test_ticks.py",
    "notifications": "tests/schema/notifications/test_notifications.py",
    "priceAlerts": "tests/schema/notifications/test_notifications.py",
    "analysisPhases": "tests/schema/market/analysis/test_analyses.py",
    "news": "tests/schema/market/test_updates.py",
    "alertUpdates": "tests/schema/market/test_updates.py",
    "watchlistUpdates": "tests/schema/market/test_updates.py",
    "mempoolUpdates": "tests/schema/ledger/test_streams.py",
    "systemPulse": "tests/schema/realtime/test_pulse.py",
    "blocks": "tests/schema/ledger/test_streams.py",
    "miningProgress": "tests/schema/ledger/test_streams.py",
    "portfolioValue": "tests/schema/trading/test_values.py",
    "orderUpdates": "tests/schema/trading/orders/test_streams.py",
    "fills": "tests/schema/trading/orders/test_streams.py",
    "signals": "tests/schema/trading/bots/test_streams.py",
    "botUpdates": "tests/schema/trading/bots/test_streams.py",
    "participantImportProgress": "tests/schema/campaigns/test_import_streams.py",
    "backtestProgress": "tests/schema/trading/backtests/test_streams.py",
    "backtestSweepProgress": "tests/schema/trading/backtests/test_streams.py",
    "projectUpdates": "tests/schema/campaigns/test_streams.py",
    "participationUpdates": "tests/schema/campaigns/test_streams.py",
    "leaderboard": "tests/schema/campaigns/test_leaderboards.py",
    "trades": "tests/schema/trading/orders/test_streams.py",
    "orderBook": "tests/schema/trading/orders/test_streams.py",
    "transactionUpdates": "tests/schema/ledger/test_streams.py",
    "walletBalanceUpdates": "tests/schema/ledger/test_streams.py",
}
PROBLEMS_TESTED_ELSEWHERE = {
    # These take hundreds of steps.
    ("addToWatchlist", "WatchlistFull"): "tests/domains/market/watchlist/test_services.py",
    ("createAlert", "AlertLimitReached"): "tests/domains/market/alerts/test_alerts.py",
    ("createPortfolio", "PortfolioLimitReached"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("createTenant", "TenantLimitReached"): "tests/domains/tenancy/test_tenants.py",
    ("createTenant", "ResultDeleted"): "tests/domains/tenancy/test_tenants.py",
    ("acceptInvitation", "TenantNotActive"): "tests/domains/tenancy/test_members.py",
    ("completeTask", "ParticipantInactive"): "tests/domains/campaigns/tasks/test_completions.py",
    ("createParticipant", "ResultDeleted"): "tests/domains/campaigns/participants/test_participants.py",
    ("verifyWallet", "WalletProven"): "tests/domains/campaigns/participants/test_proofs.py",
    ("trackProjectEvent", "ParticipantErased"): "tests/domains/campaigns/analytics/test_events.py",
    ("trackProjectEvent", "TenantNotActive"): "tests/domains/campaigns/analytics/test_events.py",
    ("createProject", "ResultDeleted"): "tests/domains/campaigns/projects/test_projects.py",
    **{
        (name, "ResultDeleted"): "tests/schema/campaigns/test_streams.py"
        for name in ("joinProject", "leaveProject", "banParticipant", "unbanParticipant", "verifyParticipation")
    },
    **{
        (name, "ResultDeleted"): "tests/schema/campaigns/test_streams.py"
        for name in ("adjustPoints", "completeTask", "reviewCompletion")
    },
    **{
        (name, "IdempotencyKeyReused"): "tests/graph/test_replays.py"
        for name in ("leaveProject", "banParticipant", "unbanParticipant", "verifyParticipation", "adjustPoints")
    },
    **{(name, "IdempotencyKeyReused"): "tests/graph/test_replays.py" for name in ("completeTask", "reviewCompletion")},
    **{(name, "InvalidInput"): "tests/graph/test_invalid_fields.py" for name in ("leaveProject", "unbanParticipant")},
    # No time of a transcript outlasts an import and not its key, and the limit is each process's own copy.
    ("importParticipants", "ResultDeleted"): "tests/domains/campaigns/imports/test_imports.py",
    ("importParticipants", "FileTooLarge"): "tests/domains/campaigns/imports/test_imports.py",
    ("exportParticipants", "ResultDeleted"): "tests/domains/campaigns/exports/test_exports.py",
    ("linkParticipant", "NobodyHasWallet"): "tests/domains/campaigns/participants/test_links.py",
    ("defineTask", "TaskLimitReached"): "tests/domains/campaigns/tasks/test_tasks.py",
    ("completeTask", "PaymentUsed"): "tests/domains/campaigns/tasks/test_completions.py",
    ("completeTask", "NoGuessesLeft"): "tests/domains/campaigns/tasks/test_completions.py",
    ("reviewCompletion", "ParticipantBanned"): "tests/domains/campaigns/tasks/test_completions.py",
    ("inviteMember", "InvitationLimitReached"): "tests/domains/tenancy/test_members.py",
    ("inviteMember", "ResultDeleted"): "tests/domains/tenancy/test_members.py",
    ("createApiKey", "ApiKeyLimitReached"): "tests/domains/tenancy/test_api_keys.py",
    ("createApiKey", "ResultDeleted"): "tests/domains/tenancy/test_api_keys.py",
    ("rotateApiKey", "ResultDeleted"): "tests/domains/tenancy/test_api_keys.py",
    **{
        (name, problem): "tests/domains/trading/orders/test_placing.py"
        for name in ("placeOrder", "placeBracket")
        for problem in ("PortfolioNotOpen", "TooManyPositions")
    },
    # The transcript of exchanges shows them of one order.
    ("placeBracket", "LiveTradingUnavailable"): "tests/domains/trading/orders/test_placing.py",
    ("placeBracket", "PlanRequired"): "tests/domains/trading/venues/test_halting.py",
    ("replaceOrder", "PlanRequired"): "tests/domains/trading/venues/test_halting.py",
    **{
        (name, problem): "tests/domains/trading/backtests/test_backtests.py"
        for name in ("runBacktest", "runSweep")
        for problem in ("ResultDeleted", "TooManyBacktests")
    },
    ("runBacktest", "BacktestTooLarge"): "tests/domains/trading/backtests/test_backtests.py",
    ("connectExchange", "ExchangeUnavailable"): "tests/domains/trading/venues/test_accounts.py",
    ("connectExchange", "ExchangeAccountLimitReached"): "tests/domains/trading/venues/test_accounts.py",
    ("placeBracket", "TradingHalted"): "tests/domains/trading/orders/test_brackets.py",
    ("replaceOrder", "TradingHalted"): "tests/domains/trading/orders/test_replacing.py",
    ("replaceOrder", "PortfolioNotOpen"): "tests/domains/trading/orders/test_placing.py",
    # No order holds a portfolio up here, and the live ones are not paid into.
    ("updatePortfolio", "PortfolioNotOpen"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("deletePortfolio", "PortfolioNotOpen"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("depositPaper", "PortfolioNotOpen"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("withdrawPaper", "PortfolioNotOpen"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("resetPortfolio", "PortfolioNotOpen"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("depositPaper", "PaperPortfolioRequired"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("withdrawPaper", "PaperPortfolioRequired"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("resetPortfolio", "PaperPortfolioRequired"): "tests/domains/trading/portfolios/test_portfolios.py",
    ("createBot", "BotLimitReached"): "tests/domains/trading/bots/test_bots.py",
    **{
        (name, problem): "tests/domains/trading/bots/test_bots.py"
        for name in ("createBot", "startBot")
        for problem in ("LiveTradingUnavailable", "PaperPortfolioRequired", "PortfolioNotOpen")
    },
    ("trackEvent", "RateLimited"): "tests/domains/trading/analytics/test_analytics.py",
    ("transfer", "MempoolFull"): "tests/domains/ledger/test_transfers.py",
    ("transfer", "TooManyCoins"): "tests/domains/ledger/test_transfers.py",
    ("transfer", "UnconfirmedChainTooLong"): "tests/domains/ledger/test_transfers.py",
    ("submitTransaction", "MempoolFull"): "tests/domains/ledger/test_submissions.py",
    ("submitTransaction", "UnconfirmedChainTooLong"): "tests/domains/ledger/test_submissions.py",
    # These take bytes that `unsignedTransaction` does not return.
    ("submitTransaction", "FeeTooHigh"): "tests/domains/ledger/test_submissions.py",
    ("submitTransaction", "FeeTooLow"): "tests/domains/ledger/test_submissions.py",
    ("submitTransaction", "RecipientNotFound"): "tests/domains/ledger/test_submissions.py",
}


@each_transcript
async def test_transcript(path: Path, stage: Stage) -> None:
    transcript = Transcript.read(path)
    for step in transcript.steps:
        await stage.play(transcript.document, step)
    if RECORDING:
        transcript.write()


@each_transcript
def test_every_operation_is_played_and_every_step_is_judged(path: Path) -> None:
    transcript = Transcript.read(path)
    assert {step["operation"] for step in transcript.steps} == set(operations(transcript.document))
    for step in transcript.steps:
        assert "statements" in step
        assert "data" in step or "errors" in step


def test_every_root_field_is_in_a_transcript() -> None:
    asked = {"query": Counter[str](), "mutation": Counter[str]()}
    for path in PATHS:
        for operation in operations(path.read_text()).values():
            fields = (node for node in operation.selection_set.selections if isinstance(node, FieldNode))
            asked[operation.operation.value].update(node.name.value for node in fields)
    assert set(asked["query"]) == fields_of("Query")
    assert set(asked["mutation"]) == fields_of("Mutation")


def test_every_subscription_is_tested_elsewhere() -> None:
    assert set(SUBSCRIPTIONS) == fields_of("Subscription")
    for name, path in SUBSCRIPTIONS.items():
        assert name in (ROOT / path).read_text(), name


def test_every_problem_of_every_mutation_is_met_in_a_transcript() -> None:
    interface = SDL.type_map["Problem"]
    assert isinstance(interface, GraphQLInterfaceType)
    problems = {kind.name for kind in SDL.get_possible_types(interface)}
    assert SDL.mutation_type is not None
    declared = {
        (name, kind.name)
        for name, field in SDL.mutation_type.fields.items()
        if isinstance(union := get_named_type(field.type), GraphQLUnionType)
        for kind in union.types
        if kind.name in problems
    }
    answers = [(step.get("data") or {}).items() for path in PATHS for step in Transcript.read(path).steps]
    met = {(name, data["__typename"]) for answer in answers for name, data in answer if "__typename" in (data or {})}
    assert met & declared == declared - PROBLEMS_TESTED_ELSEWHERE.keys()
    for (_, problem), path in PROBLEMS_TESTED_ELSEWHERE.items():
        assert problem in (ROOT / path).read_text(), problem


def test_the_deep_query_takes_the_same_statements_whatever_its_size() -> None:
    steps = Transcript.read(HERE / "ledger" / "12-deep.graphql").steps
    sizes = [(step["variables"]["blocks"], step["variables"]["transactions"]) for step in steps]
    assert sizes == [(2, 2), (20, 20)]
    met = [len(list(values_of(step["data"], "sender"))) for step in steps]
    assert met == [4, 59]
    assert steps[0]["statements"] == steps[1]["statements"] > 1


def operations(document: str) -> dict[str, OperationDefinitionNode]:
    """The operations of a document by name; each has one."""
    found: dict[str, OperationDefinitionNode] = {}
    for node in parse(document).definitions:
        if isinstance(node, OperationDefinitionNode):
            assert node.name is not None
            found[node.name.value] = node
    return found


def fields_of(type_name: str) -> set[str]:
    """The names of a type's fields."""
    kind = SDL.type_map[type_name]
    assert isinstance(kind, GraphQLObjectType)
    return set(kind.fields)
