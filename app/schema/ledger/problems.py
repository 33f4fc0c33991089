"""What can go wrong in the ledger, as data."""

from decimal import Decimal

import strawberry

from app.domains.ledger import model
from app.engine.problems import Problem, problem_type
from app.schema.ledger.enums import Rejection


@problem_type(model.NotVerified, description="The viewer's e-mail address is not verified.")
class NotVerified(Problem):
    """The viewer's e-mail address is not verified."""


@problem_type(model.WalletIsExternal, description="Moneta does not hold this wallet's key: use submitTransaction.")
class WalletIsExternal(Problem):
    """Moneta does not hold this wallet's key."""


@problem_type(model.RecipientNotFound, description="No wallet has this id.")
class RecipientNotFound(Problem):
    """No wallet has this id."""


@problem_type(model.InsufficientFunds, description="The spendable coins do not cover the payment and its fee.")
class InsufficientFunds(Problem):
    """The spendable coins do not cover the payment and its fee."""

    available: Decimal = strawberry.field(description="The wallet's balance, in coins.")


@problem_type(
    model.TooManyCoins, description="The coins cover the payment, but more than 256 of them would be needed at once."
)
class TooManyCoins(Problem):
    """More than 256 coins would be needed at once."""

    payable: Decimal = strawberry.field(description="What one transaction can pay, in coins, after the fee.")


@problem_type(
    model.UnconfirmedChainTooLong,
    description="The payment would build on more than 25 unconfirmed ones. The next block helps.",
)
class UnconfirmedChainTooLong(Problem):
    """The payment would build on too many unconfirmed ones."""


@problem_type(model.MempoolFull, description="Too many transactions wait for a block.")
class MempoolFull(Problem):
    """Too many transactions wait for a block."""


@problem_type(model.FeeTooLow, description="The fee is below the least that is accepted.")
class FeeTooLow(Problem):
    """The fee is below the least that is accepted."""

    minimum: Decimal = strawberry.field(description="The least fee, in coins.")


@problem_type(model.FeeTooHigh, description="The fee looks like a mistake, and was not confirmed.")
class FeeTooHigh(Problem):
    """The fee looks like a mistake."""

    maximum: Decimal = strawberry.field(description="The largest fee that needs no `allowHighFee`, in coins.")


@problem_type(model.TransactionRejected, description="The transaction breaks a rule.")
class TransactionRejected(Problem):
    """The transaction breaks a rule."""

    reason: Rejection = strawberry.field(description="Which one.")


@problem_type(model.BeneficiaryExists, description="The wallet is among the viewer's beneficiaries already.")
class BeneficiaryExists(Problem):
    """The wallet is among the viewer's beneficiaries already."""
