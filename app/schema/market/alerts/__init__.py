"""Alerts in the graph: their conditions, and alerts."""
