"""Means and deviations of columns, summed in double precision without a double-precision copy."""

from collections.abc import Iterator

import numpy as np

__all__ = ["row_blocks", "shift_and_divide", "standardize"]

_ROWS_A_BLOCK = 4096


def row_blocks(values: np.ndarray) -> Iterator[slice]:
    """Slices of rows; a temporary double-precision copy of one stays in the cache."""
    for start in range(0, len(values), _ROWS_A_BLOCK):
        yield slice(start, start + _ROWS_A_BLOCK)


def standardize(embedding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each column mean 0 and population standard deviation 1, in place."""
    mean = embedding.mean(axis=0, dtype=np.float64)
    squares, largest = np.zeros_like(mean), np.ones_like(mean)
    for rows in row_blocks(embedding):
        squares += np.square(embedding[rows] - mean).sum(axis=0)
        largest = np.maximum(largest, np.abs(embedding[rows]).max(axis=0))
    deviation = np.sqrt(squares / len(embedding))
    tolerance = 1e-6 if embedding.dtype == np.float32 else 1e-12
    deviation[deviation < tolerance * largest] = 1.0
    shift_and_divide(embedding, mean, deviation)
    return mean, deviation


def shift_and_divide(embedding: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> None:
    """Subtract the mean from each column and divide by the deviation, in place."""
    for rows in row_blocks(embedding):
        embedding[rows] = (embedding[rows] - mean) / deviation
