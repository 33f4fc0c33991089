"""The garbage collector: what stays, such as what is imported, it is not to walk again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def pytest_collection_finish() -> None:
    """All modules are imported by now."""
    gc.collect()
    gc.freeze()


@contextmanager
def staying() -> Iterator[None]:
    """What is made here stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
