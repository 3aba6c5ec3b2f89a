"""Node embeddings."""

from sparsekit.embedding._fastrp import FastRP, fastrp_embedding

__all__ = ["FastRP", "fastrp_embedding"]
