"""Bots in four workers, of which one after the other is killed: the workers, their time, and what must hold."""
