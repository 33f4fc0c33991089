"""Finding tokens."""

from typing import Annotated

import strawberry

from app.domains.market import loaders
from app.domains.market.model import tokens
from app.schema.context import Info
from app.schema.market.tokens import Token


@strawberry.input(one_of=True, description="Which token.")
class TokenBy:
    """Which token."""

    symbol: str | None = strawberry.field(default=strawberry.UNSET, description="By its symbol, in any case.")


@strawberry.type(description="What can be asked about tokens.")
class FindingQuery:
    """What can be asked about tokens."""

    @strawberry.field(graphql_type=Token | None, description="One token; null if there is none.")
    async def token(
        self, info: Info, by: Annotated[TokenBy, strawberry.argument(description="Which one.")]
    ) -> tokens.Token | None:
        """One token."""
        return await info.context.reads.one(loaders.token_by_symbol, str(by.symbol).strip().upper())
