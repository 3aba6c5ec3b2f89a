"""
==========================================
Genes in blood cells: a graph from AnnData
==========================================

Single cells as other programs hold them, in an AnnData object, and a graph of 30 genes from
:class:`~sparsekit.causal.DropoutPC`: how to read it, which of its edges hold, and how much of it
follows from what is done about zeros. No true graph is known for these data, so that nothing here
says which setting is right.
"""

# %%
# Data in
# -------
# 700 blood cells of one donor, reduced by scanpy: expression of 765 genes, normalised for each cell
# and logarithmic. Both steps leave zeros as they are. Centred or scaled genes have no zeros any
# more, and the fit would warn.

import anndata
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sparsekit.datasets import load_pbmc68k_reduced

# sphinx_gallery_thumbnail_number = 1

pbmc = load_pbmc68k_reduced()
adata = anndata.AnnData(X=pbmc.data, var=pd.DataFrame(index=pbmc.feature_names))
print(adata)
print(f"{1 - adata.X.nnz / np.prod(adata.shape):.0%} of the values are zero")

# %%
# A graph of all genes from 700 cells would be asking for much. Take the 30 genes that vary most
# among those that are seen in at least a fifth of the cells.

seen = (adata.X != 0).mean(axis=0)
variance = adata.X.power(2).mean(axis=0) - adata.X.mean(axis=0) ** 2
chosen = np.argsort(-np.where(seen >= 0.2, variance, 0))[:30]
genes = adata[:, np.sort(chosen)].copy()

# %%
# A graph
# -------
# The object goes in as it is: ``X`` stays sparse, ``var_names`` are the names. Edges without an
# arrow are those whose direction the data leave open; the darker a gene, the more often it is zero.

from sparsekit.causal import DropoutPC
from sparsekit.plotting import GRNDisplay

model = DropoutPC(alpha=0.01).fit(genes)
display = GRNDisplay.from_estimator(model, genes)
plt.show()

print(model.edge_table().head(12).to_string(index=False))

# %%
# ``pvalue`` is the largest of all tests of a pair, and ``n_effective`` the fewest cells that any of
# them had: about a quarter of all cells, or fewer. Genes of the major histocompatibility complex
# (HLA, CD74) are joined with each other, and so are genes of killer cells (NKG7, GNLY, CCL5) and of
# monocytes. The cells are of several kinds, and a gene that marks a kind depends on all others that
# mark it. The kind of the cell is a common cause that is not in the data, so do not read the edges
# as regulation of one gene by another.
#
# Which edges hold
# ----------------
# The same fit on 50 resamples of the cells; uncertain edges are pale.

from sparsekit.causal import BootstrapEdges

bootstrap = BootstrapEdges(DropoutPC(alpha=0.01), n_resamples=50, random_state=0)
bootstrap.fit(genes.X)
GRNDisplay.from_estimator(
    bootstrap, genes, feature_names=genes.var_names, positions=display.positions_
)
plt.show()

pairs = bootstrap.skeleton_frequencies_.toarray()[np.triu_indices(30, k=1)]
print("pairs joined in at least 9 of 10 resamples:", (pairs >= 0.9).sum())
print("pairs joined in at least 1 of 10 resamples:", (pairs >= 0.1).sum())

# %%
# What zeros do
# -------------
# The other ways to handle zeros, and the search by scores. The matrix counts the pairs that two
# graphs share; on its diagonal are the pairs of one graph.

from sparsekit.causal import DropoutGES

models = {
    "PC, zeros as values": DropoutPC(alpha=0.01, zero_handling="none"),
    "PC, conditioning": DropoutPC(alpha=0.01),
    "PC, testwise": DropoutPC(alpha=0.01, zero_handling="testwise"),
    "GES, zeros as values": DropoutGES(zero_handling="none"),
    "GES, conditioning": DropoutGES(),
    "GES, testwise": DropoutGES(zero_handling="testwise"),
}
joined = [np.triu(model.fit(genes).skeleton_.toarray()) > 0 for model in models.values()]
shared = np.array([[(one & other).sum() for other in joined] for one in joined])

figure, ax = plt.subplots(figsize=(6.5, 4.6), layout="constrained")
ax.imshow(shared, cmap="Blues", vmin=0)
for (i, j), count in np.ndenumerate(shared):
    ax.text(j, i, count, ha="center", va="center", color="w" if count > shared.max() / 2 else "k")
ax.set_xticks(range(len(models)), models, rotation=30, ha="right")
ax.set_yticks(range(len(models)), models)
ax.set_title("pairs of genes that two graphs share")
plt.show()

# %%
# The choice matters much. Which of these graphs is nearest to the truth can not be said from such
# data. What can be said: how many tests had too few cells, and how many cells tests had.

for name in list(models)[:3]:
    model = models[name]
    effective = model.n_effective_.data
    print(
        f"{name:21}{model.n_tests_.sum():6} tests, {model.n_insufficient_:4} without enough "
        f"cells; fewest cells of a pair: median {np.median(effective):.0f}"
    )

# %%
# On the command line
# -------------------
# ``sparsekit grn cells.h5ad edges.csv --genes @genes.txt --alpha 0.01 --figure graph.png`` does the
# same from a file, also from csv and Matrix Market, with forbidden and required edges and with
# transcription factors before their targets (``--tiers``).
