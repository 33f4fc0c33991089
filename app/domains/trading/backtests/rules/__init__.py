"""The simulation of a bot over candles. Pure."""
