"""The statements of alerts and notifications."""

from pathlib import Path

from app.kit.sql import Queries

_HOUSE = Path(__file__).parents[2]
ALERTS = Queries(_HOUSE / "alerts.sql")
NOTIFICATIONS = Queries(_HOUSE / "notifications.sql")
