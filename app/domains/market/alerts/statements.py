"""The statements about alerts."""

from uuid import UUID

from app.domains.market.alerts.model import (
    Alert,
    AlertingArticle,
    ArmedAlert,
    ArmedMeasure,
    CrossedAlert,
    FiredAlert,
    LockedMark,
    Mark,
)
from app.kit.sql import Command, Query, Rows, Statements


class AlertSql(Statements, file="alerts.sql"):
    """The statements about alerts."""

    alerts_by_ids: Query[Alert]
    alerts_by_user: Rows[Alert]
    lock_alerts_of: Command
    count_alerts: Query[int]
    insert_alert: Query[UUID]
    lock_alert: Query[Alert]
    update_alert: Query[Alert]
    delete_alert: Command
    delete_expired_alerts: Command
    crossed_alerts: Query[CrossedAlert]
    armed_alerts: Query[ArmedAlert]
    armed_symbols: Query[str]
    armed_measures: Query[ArmedMeasure]
    fire_alerts: Query[FiredAlert]
    marks: Query[Mark]
    lock_marks: Query[LockedMark]
    move_marks: Query[str]
    move_position: Command
    delete_marks_of_deleted_alerts: Command
    claim_news: Query[AlertingArticle]
