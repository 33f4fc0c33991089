"""Bots, their signals, and what they bought."""
