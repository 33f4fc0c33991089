"""The doctor of the chain."""

from app.domains.ledger.services.replay.run import Progressed, Replay, ReplayReport

__all__ = ["Progressed", "Replay", "ReplayReport"]
