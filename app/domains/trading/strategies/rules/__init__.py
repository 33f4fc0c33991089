"""The rules of the nine strategies. Pure."""
