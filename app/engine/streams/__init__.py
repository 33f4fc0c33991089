"""Subscriptions: each event is executed once for a group of equal subscribers. A cursor resumes after an event."""
