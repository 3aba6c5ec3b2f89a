"""Orbit adjacencies: which pairs of nodes meet, row by row."""
