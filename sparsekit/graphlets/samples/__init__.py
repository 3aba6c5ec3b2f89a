"""Random copies of small graphs, and what their totals are."""
