"""The bounds of a filter: what lies between them."""

from collections.abc import Mapping
from typing import Any

from app.kit.errors import Faults


def check_spans(filters: Mapping[str, Any]) -> None:
    """Raises InvalidInput if nothing can lie between two bounds: `since` and `until`, or a minimum and its maximum."""
    with Faults() as faults:
        for name, low in filters.items():
            if low is None:
                continue
            if name == "since" and (until := filters.get("until")) is not None and low >= until:
                faults.add(name, "`since` must be before `until`.")
            _, minimum, rest = name.rpartition("min_")
            if minimum and (high := filters.get(f"max_{rest}")) is not None and low > high:
                faults.add(name, "The minimum must not be more than the maximum.")
