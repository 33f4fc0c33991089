"""Why an account is not connected, or a portfolio does not belong to it."""

import strawberry

from app.domains.trading.exchanges import model
from app.engine.declarations.problems import Problem, problem_type


@problem_type(model.CredentialsRefused)
class CredentialsRefused(Problem):
    """The exchange does not accept these credentials."""


@problem_type(model.WithdrawalPermitted)
class WithdrawalPermitted(Problem):
    """The key can withdraw. Make one that can only read and trade."""


@problem_type(model.PlanRequired)
class PlanRequired(Problem):
    """The viewer has no paid plan, which trading with real money takes. Without one, what is held can be sold."""


@problem_type(model.ExchangeUnavailable)
class ExchangeUnavailable(Problem):
    """The exchange does not answer, or is busy. Try again later."""


@problem_type(model.ExchangeAccountLimitReached)
class ExchangeAccountLimitReached(Problem):
    """The viewer has connected the maximum number of accounts."""

    limit: int = strawberry.field(description="The maximum number of accounts.")


@problem_type(model.ExchangeAccountNotConnected)
class ExchangeAccountNotConnected(Problem):
    """The account is being disconnected, or has been."""


@problem_type(model.ExchangeAccountInUse)
class ExchangeAccountInUse(Problem):
    """Another portfolio belongs to this account."""
