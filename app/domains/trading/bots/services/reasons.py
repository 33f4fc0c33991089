"""The words of decisions, by a language model where there is one. It decides nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from app.domains.market.analysis.services.writer import Writer
from app.domains.trading.bots.rules.deciding import Decided
from app.kit.errors import Unavailable

INSTRUCTIONS: Final = (
    "You explain the decision of a trading bot, given as JSON, to its owner: in at most three sentences of plain text."
    " The decision is made. Use no fact that is not in it, and give no advice."
)
WAIT_S: Final = 3.0
"""For the words of all bots together: what comes later is left out."""
MAX_CHARS: Final = 2000


@dataclass(frozen=True)
class Reasons:
    """Adds the words of the model that a bot names, if it is the one that is configured, to those of its strategy."""

    writer: Writer | None

    async def worded(self, found: Sequence[Decided]) -> list[Decided]:
        """The decisions with further words; without them where the model is absent, slow or answers nonsense."""
        writer = self.writer
        if writer is None:
            return list(found)
        asked = {
            at: asyncio.create_task(self._words(writer, each))
            for at, each in enumerate(found)
            if each.due.ai_model == writer.model
        }
        if not asked:
            return list(found)
        _, late = await asyncio.wait(asked.values(), timeout=WAIT_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return [
            _with(each, asked[at].result() if at in asked and asked[at] not in late else "")
            for at, each in enumerate(found)
        ]

    async def _words(self, writer: Writer, each: Decided) -> str:
        try:
            return " ".join(await writer.write(_about(each), INSTRUCTIONS))
        except Unavailable:
            return ""


def _about(each: Decided) -> dict[str, Any]:
    decision = each.decision
    return {
        "symbol": each.due.symbol,
        "strategy": each.due.config["type"],
        "decision": decision.type,
        "confidence": decision.confidence,
        "reasoning": decision.reasoning,
        "indicators": decision.indicators,
        "price_usd": f"{each.price:f}",
    }


def _with(each: Decided, words: str) -> Decided:
    if not words:
        return each
    decision = replace(each.decision, reasoning=f"{each.decision.reasoning} {words[:MAX_CHARS]}")
    return replace(each, decision=decision)
