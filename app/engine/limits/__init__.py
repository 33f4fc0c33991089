"""What an operation may ask for: checked before anything is executed."""

from app.engine.limits.model import Limits

__all__ = ["Limits"]
