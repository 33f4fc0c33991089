"""Tokens by what people call them."""

from typing import Any

import msgspec

from app.domains.market.statements import TOKENS
from app.domains.market.tokens.model import (
    FoundToken,
    Token,
    TokenField,
    TokenFilter,
    TokenNotFound,
    TokenOrder,
    TokenValidation,
    symbol_of,
)
from app.domains.market.tokens.rules.search import search_of
from app.kit.db import Executor
from app.kit.errors import InvalidInput

MAX_SUGGESTIONS = 5
MAX_SYMBOLS = 100
_FROM_THE_BEGINNING = (None,) * 5


def listing(filter: TokenFilter, order: TokenOrder | None) -> tuple[Any, ...]:
    """The parameters of `loaders.tokens`. Without an order, a search is sorted by relevance, all else by rank.

    Raises InvalidInput.
    """
    if filter.search is not None:
        filter = msgspec.structs.replace(filter, search=search_of(filter.search))
    if filter.symbols is not None:
        if len(filter.symbols) > MAX_SYMBOLS:
            raise InvalidInput("symbols", f"At most {MAX_SYMBOLS} symbols.")
        filter = msgspec.structs.replace(filter, symbols=tuple(symbol_of(symbol) for symbol in filter.symbols))
    if order is None:
        order = TokenOrder(TokenField.RANK if filter.search is None else TokenField.RELEVANCE)
    return filter.arguments(order)


async def validate(executor: Executor, text: str) -> TokenValidation:
    """Whether a listed token has the symbol that a text names, in any case, and else what may have been meant."""
    rows = await executor.fetch(TOKENS.tokens_by_symbols, [symbol_of(text)])
    token = Token(*rows[0]) if rows else None
    is_valid = token is not None and token.is_active
    return TokenValidation(is_valid, token, [] if is_valid else await suggestions(executor, text))


async def known_symbol(executor: Executor, text: str) -> str:
    """The symbol of the token that a text names, in any case. Raises TokenNotFound, with suggestions."""
    symbol = symbol_of(text)
    if symbol and await executor.fetch_one(TOKENS.token_exists, symbol):
        return symbol
    raise TokenNotFound(symbol, await suggestions(executor, text))


async def suggestions(executor: Executor, text: str) -> list[FoundToken]:
    """Listed tokens that somebody may have meant, the likeliest first; none for what cannot be searched."""
    try:
        search = search_of(text)
    except InvalidInput:
        return []
    wanted = TokenFilter(search=search, is_active=True).arguments(TokenOrder(TokenField.RELEVANCE))
    rows = await executor.fetch(TOKENS.tokens_page, MAX_SUGGESTIONS, *wanted, *_FROM_THE_BEGINNING)
    return [FoundToken(*row) for row in rows]
