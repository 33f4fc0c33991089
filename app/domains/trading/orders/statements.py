"""The statements about orders."""

from app.kit.sql import Query, Statements


class InboxSql(Statements, file="inbox.sql"):
    """The statements about the inbox of the exchange."""

    cancel_portfolio: Query[int]
