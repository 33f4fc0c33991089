"""Clients of a stub on this machine close at once: those of exchanges wait for what is encrypted to be closed."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def closed_at_once() -> Iterator[None]:
    # It takes long to import, and most processes need it late.
    from ccxt.async_support.base.exchange import Exchange

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exchange, "timeout_on_exit", 0)
        yield
