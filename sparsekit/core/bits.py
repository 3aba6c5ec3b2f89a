"""Sets as bits: words of 64 members."""

from typing import Any

from llvmlite import ir
from numba.core import config, types
from numba.extending import intrinsic

from sparsekit.core.jit import kernel

__all__ = ["n_words", "popcount", "trailing_zeros"]


@kernel
def n_words(size):
    """Count the words that hold one bit for each of `size` members."""
    return (size + 63) >> 6


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
