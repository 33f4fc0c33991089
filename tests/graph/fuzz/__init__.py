"""Hostile input for every argument of every field: nothing of it may be answered with INTERNAL, MAINTENANCE or a 5xx."""
