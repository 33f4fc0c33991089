"""The replay: the whole chain, checked from genesis."""

from app.domains.ledger.services.replay.replay import Progressed, Replay, ReplayReport

__all__ = ["Progressed", "Replay", "ReplayReport"]
