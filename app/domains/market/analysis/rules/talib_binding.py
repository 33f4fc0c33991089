"""TA-Lib, through the one of two bindings that is installed. Import it where it is called: that takes a second.

The binding of TA-Lib has no wheels for macOS 13 on Apple silicon; pytafast has. It calls the same C library: it finds
the same patterns, and its indicators agree to eleven digits.
"""

import importlib
import inspect
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

__all__ = ["talib"]


def _unwrapped(binding: ModuleType) -> SimpleNamespace:
    """Its functions without the wrapper that looks for series of pandas and polars among the arguments of each call,
    where those packages happen to be installed: it takes longer than what it wraps.
    """
    names = binding.__TA_FUNCTION_NAMES__
    return SimpleNamespace(**{name: inspect.unwrap(getattr(binding, name)) for name in names})


if TYPE_CHECKING:
    import talib
else:
    try:
        talib = _unwrapped(importlib.import_module("talib._ta_lib"))
    except ModuleNotFoundError:
        talib = importlib.import_module("pytafast")
