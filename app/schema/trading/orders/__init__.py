"""Orders in the graph: what is asked of the exchange, what comes of it, and what everybody sees of its books."""
