"""Tokens by what people call them."""

from app.domains.market.loaders import TOKENS
from app.domains.market.model.tokens import FoundToken, TokenFilter, TokenNotFound, TokenOrder
from app.domains.market.rules.searching import search_of, symbol_of
from app.kit.db import Executor
from app.kit.errors import InvalidInput

MAX_SUGGESTIONS = 5


async def known_symbol(executor: Executor, text: str) -> str:
    """The symbol of the token that a text names, in any case. Raises TokenNotFound, with suggestions."""
    symbol = symbol_of(text)
    if symbol and await executor.fetch_one(TOKENS.token_exists, symbol):
        return symbol
    raise TokenNotFound(symbol, await suggestions(executor, text))


async def suggestions(executor: Executor, text: str) -> list[FoundToken]:
    """Tokens that somebody may have meant, the likeliest first; none for what cannot be searched."""
    try:
        search = search_of(text)
    except InvalidInput:
        return []
    wanted = TokenFilter(search=search, is_active=True).arguments(TokenOrder())
    rows = await executor.fetch(TOKENS.tokens_page, MAX_SUGGESTIONS, *wanted, None, None, None, None, None)
    return [FoundToken(*row) for row in rows]
