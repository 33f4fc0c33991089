"""Settings of the system in the graph."""
