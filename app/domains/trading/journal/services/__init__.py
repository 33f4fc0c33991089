"""Posting entries: one at a time, and all fills of a batch at once."""
