"""Statistics that are numbers or null."""

import math
from decimal import Decimal


def finite(value: float) -> float | None:
    """Returns the number, or null for what is infinite or not a number."""
    return value if math.isfinite(value) else None


def ratio(part: Decimal, whole: Decimal) -> float | None:
    """Returns the quotient, or null if `whole` is 0."""
    return finite(float(part / whole)) if whole else None
