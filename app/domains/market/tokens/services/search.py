"""Searching tokens by text."""

from typing import Any

import msgspec

from app.domains.market.tokens.model import (
    FoundToken,
    TokenField,
    TokenFilter,
    TokenNotFound,
    TokenOrder,
    TokenValidation,
    symbol_of,
)
from app.domains.market.tokens.rules.search import search_of
from app.domains.market.tokens.statements import TokenSql
from app.kit.db import Executor
from app.kit.errors import Faults, InvalidInput

MAX_SUGGESTIONS = 5
MAX_SYMBOLS = 100
_FIRST_PAGE = (None,) * 5


def listing(filter: TokenFilter, order: TokenOrder | None) -> tuple[Any, ...]:
    """Returns the parameters of `loaders.tokens`. The default order is relevance for a search, and rank otherwise.

    Raises InvalidInput.
    """
    with Faults() as faults:
        if filter.search is not None:
            filter = msgspec.structs.replace(filter, search=faults.check(search_of, filter.search))
        if filter.symbols is not None:
            if len(filter.symbols) > MAX_SYMBOLS:
                faults.add("symbols", f"At most {MAX_SYMBOLS} symbols.")
            filter = msgspec.structs.replace(filter, symbols=tuple(symbol_of(symbol) for symbol in filter.symbols))
    if order is None:
        order = TokenOrder(TokenField.RANK if filter.search is None else TokenField.RELEVANCE)
    return filter.arguments(order)


async def validate(executor: Executor, text: str) -> TokenValidation:
    """Returns whether a text is the symbol of a listed token, in any case, and suggestions otherwise."""
    token = await executor.fetch_one(TokenSql.tokens_by_symbols, [symbol_of(text)])
    is_valid = token is not None and token.is_active
    return TokenValidation(is_valid, token, [] if is_valid else await suggestions(executor, text))


async def known_symbol(executor: Executor, text: str) -> str:
    """Returns the symbol of the token that a text names, in any case. Raises TokenNotFound, with suggestions."""
    symbol = symbol_of(text)
    if symbol and await executor.fetch_one(TokenSql.token_exists, symbol):
        return symbol
    raise TokenNotFound(symbol, await suggestions(executor, text))


async def suggestions(executor: Executor, text: str) -> list[FoundToken]:
    """Returns listed tokens that match a text, the best match first; none for a text that cannot be searched."""
    try:
        search = search_of(text)
    except InvalidInput:
        return []
    wanted = TokenFilter(search=search, is_active=True).arguments(TokenOrder(TokenField.RELEVANCE))
    return await executor.fetch(TokenSql.tokens_page, MAX_SUGGESTIONS, *wanted, *_FIRST_PAGE)
