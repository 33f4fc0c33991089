"""How the graph reads the market. Tokens, prices, news and analyses are public; the rest is its owner's."""

from app.domains.market.model.tokens import Token
from app.kit.loading import Audience, one
from app.kit.sql import beside

TOKENS = beside(__file__, "tokens.sql")

token_by_symbol = one(Token, TOKENS.tokens_by_symbols, key="symbol", audience=Audience.PUBLIC)
