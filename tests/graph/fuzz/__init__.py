"""Hostile input for every argument of every field: no answer may be INTERNAL, MAINTENANCE or a 5xx."""
