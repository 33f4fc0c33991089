"""Numbers of inputs."""

from decimal import Decimal
from typing import Any


def exact(value: Any) -> Any:
    """A Float of an input as the decimal number that was written; anything else as it is."""
    return Decimal(str(value)) if isinstance(value, float) else value
