"""Exchanges of others, and the accounts that users have there. It knows nothing of portfolios and orders."""
