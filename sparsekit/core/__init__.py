"""The shared core: arrays in, arrays out. Knows numba, numpy and scipy only."""
