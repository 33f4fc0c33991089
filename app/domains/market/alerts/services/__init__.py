"""Alerts: what their owners do with them, and all that makes them fire."""
