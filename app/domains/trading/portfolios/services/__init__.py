"""Changing portfolios, recording what they are worth, and comparing their books."""
