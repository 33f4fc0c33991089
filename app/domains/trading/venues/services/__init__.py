"""Connecting accounts, sending orders, settling trades, and comparing the books with exchanges."""
