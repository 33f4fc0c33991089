"""A brief that is composed from the other analyses by rule. Each sentence names the analyses that it is based on."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from app.domains.market.analysis.model import Analysis, AnalysisStatus, AnalysisType
from app.domains.market.analysis.model.market_data import MarketDataFindings
from app.domains.market.analysis.model.news import NewsFindings
from app.domains.market.analysis.model.on_chain import OnChainFindings
from app.domains.market.analysis.model.predictions import Calibration, PredictionFindings
from app.domains.market.analysis.model.research import ResearchSentence
from app.domains.market.analysis.model.risk import RiskFindings
from app.domains.market.analysis.model.sentiment import SentimentFindings
from app.domains.market.analysis.model.technical import TechnicalFindings
from app.domains.market.providers.model.defi import Defi
from app.domains.market.providers.model.derivatives import Derivatives

Analyses = Mapping[AnalysisType, Analysis[Any]]


def brief(symbol: str, analyses: Analyses) -> list[ResearchSentence]:
    """Returns sentences about the available analyses, and one about the others."""
    sentences = [
        ResearchSentence(text, [kind])
        for kind, sentence_of in _SENTENCES.items()
        if (findings := _findings(analyses, kind)) is not None and (text := sentence_of(symbol, findings)) is not None
    ]
    if (contrast := _contrast(analyses)) is not None:
        sentences.append(contrast)
    missing = [kind for kind, each in analyses.items() if each.status is AnalysisStatus.UNAVAILABLE]
    if missing:
        names = _listed([_NAMES.get(kind, kind.value) for kind in missing])
        sentences.append(ResearchSentence(f"Nothing is known of its {names}.", missing))
    return sentences


def _findings(analyses: Analyses, kind: AnalysisType) -> Any:
    analysis = analyses.get(kind)
    return None if analysis is None else analysis.findings


def _market_data(symbol: str, found: MarketDataFindings) -> str:
    changes = [
        f"{change:+.1f}% in {span}"
        for change, span in ((found.change_percentage_24h, "24 hours"), (found.change_percentage_7d, "seven days"))
        if change is not None
    ]
    moved = f", {_listed(changes)}" if changes else ""
    return f"{symbol} is quoted at {_dollars(found.price_usd)}{moved}."


def _technical(_: str, found: TechnicalFindings) -> str | None:
    verdict = found.verdict
    if verdict.signal is None:
        return None
    up, down = verdict.strong_buy + verdict.buy, verdict.strong_sell + verdict.sell
    said = verdict.signal.value.replace("_", " ")
    return f"Its indicators together say {said}: {up} point up, {down} down, {verdict.neutral} neither way."


def _risk(_: str, found: RiskFindings) -> str | None:
    if found.level is None or found.volatility is None:
        return None
    text = f"The risk is {found.level.value}: its volatility is {found.volatility:.0%} a year"
    if found.max_drawdown is not None:
        text += f", and it has fallen by {found.max_drawdown.depth:.0%} from a high"
    return f"{text}."


def _predictions(_: str, found: PredictionFindings) -> str | None:
    # The longest horizon with a calibration: two right forecasts prove nothing.
    proven = [each for each in found.predictions if each.calibration not in (None, Calibration.UNPROVEN)]
    for prediction in reversed(proven):
        for interval in prediction.intervals:
            if interval.probability == 0.8:
                return (
                    f"In {prediction.horizon.value} the price is between {_dollars(interval.low)} and"
                    f" {_dollars(interval.high)} with a probability of 80%; such intervals have held"
                    f" {interval.coverage:.0%} of the time."
                )
    return None


def _sentiment(_: str, found: SentimentFindings) -> str:
    names = _listed([source.name.replace("_", " ").lower() for source in found.sources])
    return f"The mood is {found.mood.value.replace('_', ' ')}, {found.score:.0f} of 100, by {names}."


def _news(_: str, found: NewsFindings) -> str:
    articles = "One article" if found.articles == 1 else f"{found.articles} articles"
    text = f"{articles} of the last seven days {'mentions' if found.articles == 1 else 'mention'} it"
    return f"{text}; the weightiest: “{found.top[0].title}” ({found.top[0].source})." if found.top else f"{text}."


def _on_chain(_: str, found: OnChainFindings) -> str:
    large = f"{found.large_transfers_24h:,}" if found.large_transfers_24h else "none"
    return (
        f"Its chain has carried {found.transactions_24h:,} payments of {found.volume_24h.normalize():,f} coins"
        f" in 24 hours between {found.active_wallets_24h:,} wallets, {large} of them large."
    )


def _derivatives(_: str, found: Derivatives) -> str:
    text = f"${found.open_interest_usd:,.0f} are open in {found.contracts} perpetual contracts"
    if found.funding_rate_percentage is not None:
        payer = (
            "long positions pay short ones" if found.funding_rate_percentage > 0 else "short positions pay long ones"
        )
        text += f"; {payer} {abs(found.funding_rate_percentage):.4f}% a period"
    return f"{text}."


def _defi(_: str, found: Defi) -> str:
    return f"${found.total_value_locked_usd:,.0f} are locked in its protocol."


def _contrast(analyses: Analyses) -> ResearchSentence | None:
    """Returns a sentence if the sentiment and the price move in different directions."""
    mood: SentimentFindings | None = _findings(analyses, AnalysisType.SENTIMENT)
    market: MarketDataFindings | None = _findings(analyses, AnalysisType.MARKET_DATA)
    if mood is None or market is None or market.change_percentage_24h is None:
        return None
    spoken, moved = mood.score - 50, market.change_percentage_24h
    if abs(spoken) < 10 or abs(moved) < 1 or (spoken > 0) == (moved > 0):
        return None
    text = "What is said of it and what its price did go different ways."
    return ResearchSentence(text, [AnalysisType.SENTIMENT, AnalysisType.MARKET_DATA])


def _dollars(price: Decimal) -> str:
    """Formats a price with six significant digits, and all digits before the point."""
    digits = max(0, 5 - price.adjusted())
    return f"${round(price, digits):,f}"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


_NAMES: Final = {
    AnalysisType.MARKET_DATA: "price",
    AnalysisType.TECHNICAL: "indicators",
    AnalysisType.ON_CHAIN: "chain",
    AnalysisType.DEFI: "protocol",
}

_SENTENCES: Final[dict[AnalysisType, Callable[[str, Any], str | None]]] = {
    AnalysisType.MARKET_DATA: _market_data,
    AnalysisType.TECHNICAL: _technical,
    AnalysisType.SENTIMENT: _sentiment,
    AnalysisType.NEWS: _news,
    AnalysisType.ON_CHAIN: _on_chain,
    AnalysisType.PREDICTIONS: _predictions,
    AnalysisType.RISK: _risk,
    AnalysisType.DERIVATIVES: _derivatives,
    AnalysisType.DEFI: _defi,
}
