"""Asking for back-tests, running and cancelling them."""
