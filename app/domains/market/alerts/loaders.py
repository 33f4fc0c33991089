"""The loaders of alerts, which only their owner can read."""

from app.domains.market.alerts.model import AlertType
from app.domains.market.alerts.statements import AlertSql
from app.kit.lists import by, constant, equals
from app.kit.loaders import Audience, one, page

alert_by_id = one(AlertSql.alerts_by_ids, key="id", audience=Audience.VIEWER)
alerts_by_user = page(
    AlertSql.alerts_by_user,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={
        "symbol": equals("symbol"),
        "type": constant("alert_type", AlertType),
        "armed": constant("is_armed"),
        "triggered": constant("triggered"),
    },
    audience=Audience.VIEWER,
)
