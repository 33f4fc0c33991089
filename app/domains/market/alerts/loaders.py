"""The loaders of alerts, which only their owner can read."""

from app.domains.market.alerts.statements import AlertSql
from app.kit.loaders import Audience, one, page

alert_by_id = one(AlertSql.alerts_by_ids, key="id", audience=Audience.VIEWER)
alerts_by_user = page(
    AlertSql.alerts_by_user,
    count=AlertSql.alerts_by_user_count,
    order=("created_at", "id"),
    filters=("symbol", "type", "is_armed"),
    audience=Audience.VIEWER,
)
