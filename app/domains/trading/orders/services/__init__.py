"""Placing, changing and cancelling orders."""
