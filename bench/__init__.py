"""Measurements of Moneta on the machine at hand: real servers, real load, figures with their noise."""
