"""Matrices of pairs of nodes, weighted and factorised."""
