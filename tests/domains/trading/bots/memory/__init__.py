"""Bots over rows in memory: the services as they are, their statements in Python, and the exchange of the soak test.

What Postgres does is repeated here, statement by statement; that it is the same is what the walks over Postgres show.
"""
