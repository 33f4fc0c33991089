"""Accounts at exchanges: connecting them, what is there, and what does not agree."""
