"""The loaders of tokens, which are public."""

from app.domains.market.tokens.model import TokenFilter
from app.domains.market.tokens.statements import TokenSql
from app.kit.loaders import Audience, one, page

token_by_symbol = one(TokenSql.tokens_by_symbols, key="symbol", audience=Audience.PUBLIC)
token_by_coingecko_id = one(TokenSql.tokens_by_coingecko_ids, key="coingecko_id", audience=Audience.PUBLIC)
tokens = page(
    TokenSql.tokens_page,
    count=TokenSql.tokens_count,
    order=("sorted_by", "sort_missing", "sort_number", "sort_text", "symbol"),
    filters=("sorted_by", *TokenFilter.__struct_fields__),
    audience=Audience.PUBLIC,
)
