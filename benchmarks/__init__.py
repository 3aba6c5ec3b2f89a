"""Benchmarks of sparsekit: comparisons with peers (`compare.py`) and an asv suite."""
