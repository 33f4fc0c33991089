"""LunarCrush: what is said about tokens, with a key."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from app.domains.market.sources.model import Reason, SourceKind
from app.domains.market.sources.model.social import Social
from app.domains.market.sources.services.providers.cached import Remembered
from app.domains.market.sources.services.providers.client import ProviderClient
from app.domains.market.sources.services.providers.validation import count, share, text
from app.domains.market.sources.services.sources import Sources
from app.kit.clock import Clock
from app.kit.errors import Unavailable

LUNARCRUSH: Final = "lunarcrush"
HOLD: Final = timedelta(minutes=5)
_LARGEST: Final[dict[str, str | int]] = {"sort": "market_cap_rank", "limit": 1000, "page": 0}


class LunarCrushSocial:
    """All coins together, fetched in one question and held for five minutes."""

    name = LUNARCRUSH

    def __init__(self, client: ProviderClient, sources: Sources, clock: Clock) -> None:
        self._client = client
        self._sources = sources
        self._clock = clock
        self._all = Remembered(self._fetch, clock, HOLD)

    async def social(self, symbol: str) -> Social | None:
        """What is said about a token; None where it is not among the thousand largest."""
        return (await self._all.get()).get(symbol.upper())

    async def _fetch(self) -> dict[str, Social]:
        ignored: Counter[str] = Counter()
        async with self._sources.counting(LUNARCRUSH, SourceKind.SOCIAL, ignored) as accept:
            answer = await self._client.get("/coins/list/v2", _LARGEST)
            found = social_of(answer, self._clock.now(), ignored)
            accept(len(found))
            return found


def social_of(answer: Any, at: datetime, ignored: Counter[str]) -> dict[str, Social]:
    """The coins of `/coins/list/v2` by symbol. Of several with one symbol the first, which is the largest, is meant."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise Unavailable(f"{LUNARCRUSH} gives an answer of another shape.")
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
