"""Posting entries: of cash one at a time, of coins all of a batch at once."""
