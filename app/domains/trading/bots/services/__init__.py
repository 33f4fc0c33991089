"""Bots as their users have them, and what they do at the end of each candle."""
