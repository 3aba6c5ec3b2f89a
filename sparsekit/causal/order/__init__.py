"""Search for the causal order whose sparse graph has the best score."""
