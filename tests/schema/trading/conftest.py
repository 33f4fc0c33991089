"""The stage of the services, with the graph before it."""

from tests.domains.trading.conftest import people, stage, template

__all__ = ["people", "stage", "template"]
