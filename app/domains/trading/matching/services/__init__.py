"""Matching what the inbox holds, in one process at a time."""
