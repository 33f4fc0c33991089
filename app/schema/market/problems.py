"""What can go wrong in the market, as data."""

import strawberry

from app.domains.market.tokens import model as tokens
from app.domains.market.tokens.services.search import MAX_SUGGESTIONS
from app.domains.market.watchlist import model as watchlist
from app.engine.limits.extra import holds
from app.engine.problems import Problem, problem_type
from app.schema.market.tokens import Token


@problem_type(tokens.TokenNotFound)
class TokenNotFound(Problem):
    """No token has this symbol."""

    suggestions: list[Token] = strawberry.field(
        metadata=holds(MAX_SUGGESTIONS),
        description=f"At most {MAX_SUGGESTIONS} tokens that may have been meant, the likeliest first.",
    )


@problem_type(watchlist.AlreadyWatched)
class AlreadyWatched(Problem):
    """The token is on the viewer's watchlist already."""


@problem_type(watchlist.WatchlistFull)
class WatchlistFull(Problem):
    """The viewer watches as many tokens as one may."""

    limit: int = strawberry.field(description="How many one may watch.")
