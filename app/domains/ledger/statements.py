"""The statements of the services, a file for each noun; those of the loaders are in `queries.sql`."""

from app.kit.sql import beside

CHAIN = beside(__file__, "chain.sql")
PAYMENTS = beside(__file__, "payments.sql")
STATISTICS = beside(__file__, "statistics.sql")
