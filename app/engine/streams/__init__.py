"""Subscriptions: executed once for each event and group of equal subscribers, delivered to each, resumed by cursor."""
