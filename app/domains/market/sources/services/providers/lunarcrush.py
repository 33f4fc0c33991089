"""LunarCrush: social media about tokens, which needs a key."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from app.domains.market.sources.model import Reason, SourceKind
from app.domains.market.sources.model.social import Social
from app.domains.market.sources.services.providers.cached import CachedAnswer
from app.domains.market.sources.services.providers.client import ProviderClient
from app.domains.market.sources.services.providers.validation import count, share, text
from app.domains.market.sources.services.sources import Sources
from app.kit.clock import Clock
from app.kit.errors import Unavailable

LUNARCRUSH: Final = "lunarcrush"
TTL: Final = timedelta(minutes=5)
_LARGEST: Final[dict[str, str | int]] = {"sort": "market_cap_rank", "limit": 1000, "page": 0}


class LunarCrushSocial:
    """All tokens, fetched with one request and cached for five minutes."""

    name = LUNARCRUSH

    def __init__(self, client: ProviderClient, sources: Sources, clock: Clock) -> None:
        self._client = client
        self._sources = sources
        self._clock = clock
        self._all = CachedAnswer(self._fetch, clock, TTL)

    async def social(self, symbol: str) -> Social | None:
        """Returns the social media data of a token; None if it is not among the thousand largest."""
        return (await self._all.get()).get(symbol.upper())

    async def _fetch(self) -> dict[str, Social]:
        ignored: Counter[str] = Counter()
        async with self._sources.counting(LUNARCRUSH, SourceKind.SOCIAL, ignored) as accept:
            answer = await self._client.get("/coins/list/v2", _LARGEST)
            found = social_of(answer, self._clock.now(), ignored)
            accept(len(found))
            return found


def social_of(answer: Any, at: datetime, ignored: Counter[str]) -> dict[str, Social]:
    """Returns the coins of `/coins/list/v2` by symbol. Of several with one symbol, the first is the largest."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise Unavailable(f"{LUNARCRUSH} sent a malformed response.")
    found: dict[str, Social] = {}
    for row in rows:
        symbol = text(row.get("symbol"), 20) if isinstance(row, dict) else None
        if symbol is None:
            ignored[Reason.MALFORMED.value] += 1
            continue
        social = Social(
            symbol.upper(),
            at,
            score=share(row.get("galaxy_score")),
            sentiment=share(row.get("sentiment")),
            posts=count(row.get("social_volume_24h")),
            interactions=count(row.get("interactions_24h")),
            dominance_percentage=share(row.get("social_dominance")),
        )
        if social.symbol in found:
            ignored[Reason.DUPLICATE.value] += 1
        elif social.score is None and social.sentiment is None:
            ignored[Reason.INCOMPLETE.value] += 1
        else:
            found[social.symbol] = social
    return found
