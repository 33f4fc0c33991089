"""Changes to portfolios."""

from decimal import Decimal
from typing import Any

import strawberry

from app.domains.trading.journal.model import Currency as PortfolioCurrency
from app.domains.trading.portfolios import loaders, model
from app.domains.trading.services import TradingServices
from app.engine.declarations.nodes import key_of
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.schema.accounts.profile import TradingMode
from app.schema.context import Info
from app.schema.currencies import Currency
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.trading.journal import JournalEntry, read_entry
from app.schema.trading.portfolios import Portfolio
from app.schema.trading.venues.accounts import ExchangeAccount
from app.schema.trading.venues.problems import ExchangeAccountInUse, ExchangeAccountNotConnected

NAME = f"1 to {model.MAX_NAME_CHARS} characters."
AMOUNT = f"More than 0, at most {model.MAX_AMOUNT:,f}, with at most 8 decimals."
CURRENCY = "The currency of the amount, which must be that of the portfolio."


@problem_type(model.PortfolioLimitReached)
class PortfolioLimitReached(Problem):
    """The viewer has the maximum number of portfolios."""

    limit: int = strawberry.field(description="The maximum number of portfolios.")


@problem_type(model.LastPortfolio)
class LastPortfolio(Problem):
    """The viewer has no other portfolio, and keeps at least one."""


@problem_type(model.InsufficientCash)
class InsufficientCash(Problem):
    """The portfolio has less available cash."""

    available: Decimal = strawberry.field(description="The available cash.")
    currency: Currency = strawberry.field(description="The currency of the portfolio.")


@problem_type(model.LiveTradingUnavailable)
class LiveTradingUnavailable(Problem):
    """The portfolio belongs to no connected account at an exchange. See `connectExchange`."""


@problem_type(model.PaperPortfolioRequired)
class PaperPortfolioRequired(Problem):
    """The portfolio has real money, and this is for play money."""


@problem_type(model.PortfolioNotOpen)
class PortfolioNotOpen(Problem):
    """The portfolio is being reset or deleted, and nothing can be done with it meanwhile."""


@strawberry.input
class CreatePortfolioInput:
    """The portfolio to create."""

    name: str | None = strawberry.field(default=None, description=f"The name, {NAME} Null: `{model.DEFAULT_NAME}`.")
    mode: TradingMode | None = strawberry.field(
        default=None, description="Whether it has play money or real money. Null: play money."
    )
    currency: Currency | None = strawberry.field(default=None, description="The currency of its cash. Null: USD.")
    initial_balance: Decimal | None = strawberry.field(
        default=None,
        description=f"The cash that each of its lives begins with: 0 to {model.MAX_AMOUNT:,f}, with at most 8 decimals."
        f" Null: {model.INITIAL_BALANCE:,f}. Null for a live portfolio, which begins with what its account holds.",
    )
    exchange_account_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The global ID of the account at an exchange that a live portfolio belongs to. Null for a paper"
        " portfolio.",
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class UpdatePortfolioInput:
    """Changes to a portfolio. Fields that are omitted stay unchanged."""

    id: strawberry.ID = strawberry.field(description="The global ID of the portfolio.")
    name: str | None = changeable(description=f"The new name, {NAME} Not null.")
    default: bool | None = changeable(
        description="True makes it the viewer's default, instead of the one that is. Neither false nor null."
    )


@strawberry.input
class DeletePortfolioInput:
    """The portfolio to delete."""

    id: strawberry.ID = strawberry.field(description="The global ID of the portfolio.")


@strawberry.input
class DepositPaperInput:
    """Play money to pay into a portfolio."""

    portfolio_id: strawberry.ID = strawberry.field(description="The global ID of the portfolio.")
    amount: Decimal = strawberry.field(description=f"The amount. {AMOUNT}")
    currency: Currency = strawberry.field(description=CURRENCY)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class WithdrawPaperInput:
    """Play money to pay out of a portfolio."""

    portfolio_id: strawberry.ID = strawberry.field(description="The global ID of the portfolio.")
    amount: Decimal = strawberry.field(description=f"The amount. {AMOUNT}")
    currency: Currency = strawberry.field(description=CURRENCY)
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class ResetPortfolioInput:
    """The portfolio to reset."""

    portfolio_id: strawberry.ID = strawberry.field(description="The global ID of the portfolio.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class CreatePortfolioPayload:
    """The portfolio was created, now or when the idempotency key was first used."""

    portfolio: Portfolio = strawberry.field(description="The portfolio as it is now.")


@strawberry.type
class UpdatePortfolioPayload:
    """The portfolio was changed."""

    portfolio: Portfolio = strawberry.field(description="The portfolio as it is now.")


@strawberry.type
class DeletePortfolioPayload:
    """The portfolio is deleted as soon as its open orders are cancelled, and nothing can be done with it until then.
    Its journal is kept, without a name.
    """

    deleted_id: strawberry.ID = strawberry.field(description="The global ID, which is soon no longer in use.")


@strawberry.type
class DepositPaperPayload:
    """The amount was paid in, now or when the idempotency key was first used."""

    portfolio: Portfolio = strawberry.field(description="The portfolio as it is now.")
    entry: JournalEntry = strawberry.field(description="What the payment moved.")


@strawberry.type
class WithdrawPaperPayload:
    """The amount was paid out, now or when the idempotency key was first used."""

    portfolio: Portfolio = strawberry.field(description="The portfolio as it is now.")
    entry: JournalEntry = strawberry.field(description="What the payment moved.")


@strawberry.type
class ResetPortfolioPayload:
    """A life of the portfolio ended and the next began, now or when the idempotency key was first used; or they do as
    soon as its open orders are cancelled.
    """

    portfolio: Portfolio = strawberry.field(description="The portfolio as it is now.")
    entry: JournalEntry | None = strawberry.field(
        description="What was left when the life ended. Null while its orders are being cancelled: the status of the"
        " portfolio is RESETTING until then."
    )


@strawberry.type
class PortfolioMutation:
    """Changes to the viewer's portfolios."""

    @mutation(
        CreatePortfolioPayload,
        InvalidInput,
        PortfolioLimitReached,
        LiveTradingUnavailable,
        NotFound,
        ExchangeAccountNotConnected,
        ExchangeAccountInUse,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def create_portfolio(self, info: Info, input: CreatePortfolioInput) -> Any:
        """Creates a portfolio. If the viewer has no other, it is the default. What the account of a live one holds is
        in it within seconds.
        """
        new = model.NewPortfolio(
            name=input.name,
            mode=model.Mode((input.mode or TradingMode.PAPER).value),
            currency=PortfolioCurrency((input.currency or Currency.USD).value),
            initial_balance=input.initial_balance,
            exchange_account_id=None
            if input.exchange_account_id is None
            else key_of(input.exchange_account_id, ExchangeAccount),
        )
        id = await _portfolios(info).create(info.context.require_viewer(), new, input.idempotency_key)
        return CreatePortfolioPayload(portfolio=await _read(info, id))

    @mutation(UpdatePortfolioPayload, InvalidInput, NotFound, PortfolioNotOpen)
    async def update_portfolio(self, info: Info, input: UpdatePortfolioInput) -> Any:
        """Renames a portfolio, or makes it the default."""
        viewer, id = info.context.require_viewer(), key_of(input.id, Portfolio)
        await _portfolios(info).update(viewer, id, changes_of(input, model.PortfolioChanges))
        return UpdatePortfolioPayload(portfolio=await _read(info, id))

    @mutation(DeletePortfolioPayload, NotFound, PortfolioNotOpen, LastPortfolio)
    async def delete_portfolio(self, info: Info, input: DeletePortfolioInput) -> Any:
        """Deletes a portfolio with everything in it, after its open orders were cancelled. If it was the default, the
        oldest other one becomes that. The last one is kept.
        """
        await _portfolios(info).delete(info.context.require_viewer(), key_of(input.id, Portfolio))
        return DeletePortfolioPayload(deleted_id=input.id)

    @mutation(
        DepositPaperPayload,
        InvalidInput,
        NotFound,
        PaperPortfolioRequired,
        PortfolioNotOpen,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def deposit_paper(self, info: Info, input: DepositPaperInput) -> Any:
        """Pays play money into a paper portfolio."""
        posted = await _portfolios(info).deposit(*_payment(info, input))
        return DepositPaperPayload(
            portfolio=await _read(info, posted.id), entry=await read_entry(info, posted.entries[0])
        )

    @mutation(
        WithdrawPaperPayload,
        InvalidInput,
        NotFound,
        InsufficientCash,
        PaperPortfolioRequired,
        PortfolioNotOpen,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def withdraw_paper(self, info: Info, input: WithdrawPaperInput) -> Any:
        """Pays play money out of a paper portfolio. What open orders have reserved is not available."""
        posted = await _portfolios(info).withdraw(*_payment(info, input))
        return WithdrawPaperPayload(
            portfolio=await _read(info, posted.id), entry=await read_entry(info, posted.entries[0])
        )

    @mutation(
        ResetPortfolioPayload, NotFound, PaperPortfolioRequired, PortfolioNotOpen, ResultDeleted, IdempotencyKeyReused,
        InvalidInput,
    )  # fmt: skip
    async def reset_portfolio(self, info: Info, input: ResetPortfolioInput) -> Any:
        """Cancels the open orders of a paper portfolio, empties it, and begins its next life with its initial balance.
        The journal of its earlier lives stays.
        """
        viewer, id = info.context.require_viewer(), key_of(input.portfolio_id, Portfolio)
        posted = await _portfolios(info).reset(viewer, id, input.idempotency_key)
        entry = await read_entry(info, posted.entries[0]) if posted.entries else None
        return ResetPortfolioPayload(portfolio=await _read(info, posted.id), entry=entry)


def _portfolios(info: Info) -> Any:
    return info.context.services[TradingServices].portfolios


def _payment(info: Info, input: DepositPaperInput | WithdrawPaperInput) -> tuple[Any, ...]:
    viewer, id = info.context.require_viewer(), key_of(input.portfolio_id, Portfolio)
    return viewer, id, input.amount, PortfolioCurrency(input.currency.value), input.idempotency_key


async def _read(info: Info, id: Any) -> Any:
    return await info.context.reads.one(loaders.portfolio_by_id, id)
