"""
========================================
Zeros of single cells: when to leave out
========================================

Many zeros in counts of single cells are no measurements: the gene was expressed, and missed.
:class:`~sparsekit.causal.DropoutPC` tests the conditional independence of two genes on those cells
only in which the genes that it conditions on were seen. Here is why, on generated data whose graph
is known, and when it is worse than taking zeros for values.
"""

# %%
# A chain of three genes
# ----------------------
# a acts on b, b on c. Given b, the other two are independent. Half of the values are lost at
# random and replaced by zeros.

import matplotlib.pyplot as plt
import numpy as np

from sparsekit.causal import fisher_z_test

# sphinx_gallery_thumbnail_number = 2

generator = np.random.default_rng(0)
latent = generator.normal(size=(5000, 3)).cumsum(axis=1)
cells = np.where(generator.random(latent.shape) < 0.5, 0, latent)

for name, X, zeros in (
    ("before the loss", latent, "none"),
    ("zeros as values", cells, "none"),
    ("conditioning", cells, "conditioning"),
    ("testwise", cells, "testwise"),
):
    test = fisher_z_test(X, 0, 2, [1], zero_handling=zeros)
    print(f"{name:17}rho {test.rho:6.3f}   p {test.pvalue:.1g}   cells {test.n_effective}")

# %%
# Where b is zero its value says nothing of a or c, and these stay dependent: zeros as values put an
# edge between a and c. In the cells where b is not zero, what b does not explain of a and c is
# independent. (Drawn are cells in which a and c are not zero, either.)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), sharex=True, sharey=True, layout="constrained")
shown = (cells[:, [0, 2]] != 0).all(axis=1)
for ax, mask, title in zip(
    axes,
    (shown & (cells[:, 1] == 0), shown & (cells[:, 1] != 0)),
    ("cells where b is zero", "cells where b is not zero"),
    strict=True,
):
    given = np.column_stack([cells[mask, 1], np.ones(mask.sum())])
    a, c = (values - given @ np.linalg.lstsq(given, values)[0] for values in cells[mask][:, ::2].T)
    ax.scatter(a, c, s=6, alpha=0.5, linewidths=0)
    slope = (a @ c) / (a @ a)
    ax.plot([-3, 3], [-3 * slope, 3 * slope], color="C1")
    ax.set(title=title, xlabel="a, given b", ylabel="c, given b")
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# A whole graph
# -------------
# 20 genes and 20 edges, values lost with probabilities between 0.4 and 0.7. Estimate and truth are
# compared as classes of equivalent graphs. The darker a gene, the more often it is zero.

from sparsekit.causal import DropoutPC
from sparsekit.datasets import make_dropout_sem
from sparsekit.metrics import cpdag, skeleton_scores, structural_hamming_distance
from sparsekit.plotting import GRNDisplay

X, true = make_dropout_sem(5000, 20, degree=1, random_state=0)
figure, axes = plt.subplots(1, 2, figsize=(11, 6), layout="constrained")
for ax, zeros in zip(axes, ("none", "testwise"), strict=True):
    model = DropoutPC(alpha=0.01, zero_handling=zeros).fit(X)
    GRNDisplay.from_estimator(model, X, true=cpdag(true), ax=ax)
    distance = structural_hamming_distance(cpdag(true), model.adjacency_)
    ax.set_title(f'zero_handling="{zeros}": distance {distance}')
plt.show()

# %%
# How many cells it takes
# -----------------------
# Each gene that a test conditions on costs the cells in which it is zero, and a test on few cells
# finds nothing. Means over five graphs, against the number of cells:

SIZES = [500, 1000, 2500, 5000, 10000]
SETTINGS = {
    "zeros as values": {"zero_handling": "none"},
    "conditioning": {"zero_handling": "conditioning"},
    "testwise": {"zero_handling": "testwise"},
    "testwise, keep": {
        "zero_handling": "testwise",
        "min_samples": 50,
        "insufficient": "keep",
    },
}


def mean_scores(settings, graphs):
    scores = []
    for samples, true in graphs:
        model = DropoutPC(alpha=0.01, max_cond_size=4, **settings).fit(samples)
        distance = structural_hamming_distance(cpdag(true), model.adjacency_)
        scores.append((distance, skeleton_scores(true, model.adjacency_).f1))
    return np.mean(scores, axis=0)


def draw_scores(values, all_graphs, xlabel, ax_pair):
    for name, settings in SETTINGS.items():
        scores = np.array([mean_scores(settings, graphs) for graphs in all_graphs])
        for ax, column, ylabel in zip(ax_pair, scores.T, ("distance", "F1 of pairs"), strict=True):
            ax.plot(values, column, "o-", label=name)
            ax.set(xlabel=xlabel, ylabel=ylabel)
            ax.spines[["top", "right"]].set_visible(False)
    ax_pair[0].legend(frameon=False)


import warnings

# That many tests lack cells is the subject.
warnings.filterwarnings("ignore", ".*tests had too few samples")

all_graphs = [
    [make_dropout_sem(size, 20, degree=1, random_state=seed) for seed in range(5)] for size in SIZES
]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
draw_scores(SIZES, all_graphs, "cells", axes)
for ax in axes:
    ax.set_xscale("log")
plt.show()

# %%
# With some thousand cells leaving out zeros gives a much smaller distance, and from 5000 on a
# larger F1, too; with 500 none does well, and zeros as values find more of the pairs. A graph with
# few edges has a small distance whatever else it is, so look at both. ``insufficient="keep"`` with
# ``min_samples`` does not remove edges that could not be tested: at 1000 cells that finds more
# pairs, at 500 it lets in many wrong ones.
#
# Where zero lies
# ---------------
# Under ``"conditioning"`` the two genes that are tested keep their zeros. That is valid, as the
# loss says nothing of the other gene; but a zero far from the other values adds noise, and the test
# sees less. The same data with a constant added to what was not lost:

SHIFTS = [0, 1, 2, 4, 8]
all_graphs = [
    [(np.where(X != 0, X + shift, 0), true) for X, true in all_graphs[-2]] for shift in SHIFTS
]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
draw_scores(SHIFTS, all_graphs, "added to all values", axes)
plt.show()

# %%
# ``"testwise"`` leaves out the zeros of the tested genes, too, and does not change: if expressed
# genes have values far from zero, and cells are many, it is the better choice. With few cells or
# many zeros it runs out of cells first.
#
# What to take from this
# ----------------------
# - Zeros that are no measurements put edges between genes that are not neighbours.
# - Leaving them out costs cells: count them (``n_effective_``, ``n_insufficient_``).
# - Where the mean of a gene is far from zero, take ``zero_handling="testwise"``.
# - With few cells compare with ``zero_handling="none"``, and set ``min_samples``.
