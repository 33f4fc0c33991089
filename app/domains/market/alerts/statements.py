"""The statements about alerts."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domains.market.alerts.model import Alert
from app.kit.sql import Command, Keyed, Query, Statements


class AlertSql(Statements, file="alerts.sql"):
    """The statements about alerts."""

    alerts_by_ids: Query[Alert]
    alerts_by_user: Keyed[Alert]
    alerts_by_user_count: Keyed[int]
    lock_alerts_of: Command
    count_alerts: Query[int]
    insert_alert: Query[UUID]
    lock_alert: Query[
        tuple[
            UUID,
            UUID,
            str,
            str,
            Decimal,
            Any,
            str,
            int,
            bool,
            bool,
            datetime,
            int,
            Decimal,
            datetime,
            datetime,
            datetime,
            datetime,
        ]
    ]
    update_alert: Query[
        tuple[
            UUID,
            UUID,
            str,
            str,
            Decimal,
            Any,
            str,
            int,
            bool,
            bool,
            datetime,
            int,
            Decimal,
            datetime,
            datetime,
            datetime,
            datetime,
        ]
    ]
    delete_alert: Command
    delete_expired_alerts: Command
    passed_alerts: Query[tuple[UUID, UUID, str, str, Decimal, Any, datetime, int]]
    armed_alerts: Query[tuple[UUID, UUID, str, str, Decimal, Any, datetime]]
    armed_symbols: Query[str]
    armed_measures: Query[tuple[str, Any]]
    fire_alerts: Query[tuple[UUID, UUID, UUID, Any]]
    marks: Query[tuple[str, Decimal, int, datetime]]
    lock_marks: Query[tuple[str, Decimal, str, int, datetime]]
    move_marks: Query[str]
    move_position: Command
    delete_marks_of_gone_alerts: Command
    claim_news: Query[tuple[str, str, int, list[str], datetime]]
