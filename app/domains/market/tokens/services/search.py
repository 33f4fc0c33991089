"""Searching tokens by text."""

from collections.abc import Sequence

from app.domains.market.tokens.loaders import tokens
from app.domains.market.tokens.model import FoundToken, TokenNotFound, TokenValidation, symbol_of
from app.domains.market.tokens.rules.search import search_of
from app.domains.market.tokens.statements import TokenSql
from app.kit.db import Executor
from app.kit.errors import InvalidInput
from app.kit.list_pages import fetch_page
from app.kit.lists import page_request

MAX_SUGGESTIONS = 5
MAX_SYMBOLS = 100


def searched(text: str) -> str:
    """Returns the search that a text means. Raises InvalidInput."""
    return search_of(text)


def chosen_symbols(symbols: Sequence[str]) -> list[str]:
    """Returns the symbols that a filter names, in any case. Raises InvalidInput."""
    if len(symbols) > MAX_SYMBOLS:
        raise InvalidInput("symbols", f"At most {MAX_SYMBOLS} symbols.")
    return [symbol_of(symbol) for symbol in symbols]


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
    request = page_request(tokens, MAX_SUGGESTIONS, "RELEVANCE", filters={"search": search, "is_active": True})
    return (await fetch_page(executor, tokens, request)).records
