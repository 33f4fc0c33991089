"""The statements of the services; those of the loaders are in `queries.sql`."""

from app.kit.sql import beside

Q = beside(__file__, "writes.sql")
