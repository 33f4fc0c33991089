"""The statements with which the wallet side writes."""

from pathlib import Path

from app.kit.sql import Queries

Q = Queries(Path(__file__).parents[1] / "payments.sql")
