"""The doctor of the chain."""

from app.domains.ledger.services.replay.replay import Progressed, Replay, ReplayReport

__all__ = ["Progressed", "Replay", "ReplayReport"]
