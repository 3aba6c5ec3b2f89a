"""Sets as bits: words of 64 members."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import config, types
from numba.extending import intrinsic

from sparsekit.core.jit import kernel

__all__ = ["n_words", "pack_rows", "popcount", "trailing_zeros", "unpack_rows"]


@kernel
def n_words(size):
    """Count the words that hold one bit for each of `size` members."""
    return (size + 63) >> 6


def pack_rows(mask: np.ndarray) -> np.ndarray:
    """Pack the rows of a boolean array of shape (n, size) into words, shape (n, n_words(size)).

    Member k of a row is bit ``k % 64`` of word ``k // 64``.
    """
    padded = np.zeros((len(mask), 64 * n_words(mask.shape[1])), dtype=np.bool_)
    padded[:, : mask.shape[1]] = mask
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def unpack_rows(words: np.ndarray, size: int) -> np.ndarray:
    """Rows of a boolean array of shape (n, size) that `pack_rows` has packed."""
    bytes_ = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(bytes_, axis=1, count=size, bitorder="little").view(np.bool_)


if config.DISABLE_JIT:  # type: ignore[attr-defined]

    def popcount(word):
        """Count the ones of a uint64."""
        return int(word).bit_count()

    def trailing_zeros(word):
        """Position of the lowest one of a uint64 that is not 0."""
        return (int(word) & -int(word)).bit_length() - 1

else:

    @intrinsic
    def popcount(typing_context: Any, word: types.Integer) -> Any:
        """Count the ones of a uint64, as an int64; one machine instruction."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.ctpop(arguments[0])

        return types.int64(types.uint64), generate

    @intrinsic
    def trailing_zeros(typing_context: Any, word: types.Integer) -> Any:
        """Position of the lowest one of a uint64 that is not 0, as an int64."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

        return types.int64(types.uint64), generate
