"""Prices in the graph: candles and samples, and ticks."""
