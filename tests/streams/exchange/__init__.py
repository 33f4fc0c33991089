"""Faults of the exchange: traders, what they must find afterwards, and the processes that are killed meanwhile."""
