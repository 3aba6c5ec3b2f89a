"""
=======================================
Inductive or transductive: two scores
=======================================

The accuracy of a node classifier depends on whether the test nodes are in the graph while the
model is fitted. Both cases occur:

- *transductive*: the graph is complete, labels are missing (proteins without annotation in a
  known interaction network). Scored by :class:`~sparsekit.compose.NodeFeatures`.
- *inductive*: nodes arrive later and bring their edges to the nodes that were there (new users,
  new cells). Scored by passing the adjacency itself to a pipeline that starts with
  :class:`~sparsekit.embedding.FastRP`.

The two scores may differ widely, and by how much depends on the share of nodes that are left for
fitting.
"""

# %%
# A graph with known groups
# -------------------------
# A stochastic block model: 1000 nodes in five blocks, six edges a node, of which about a quarter
# lead to another block.

import matplotlib.pyplot as plt
import numpy as np

from sparsekit.datasets import make_sbm_graph

graph, blocks = make_sbm_graph(1000, n_blocks=5, mean_degree=6, mixing=0.3, random_state=0)
print(graph)

# %%
# Two pipelines
# -------------
# They differ in the first step and in what X is. The bare transformer has the ``pairwise`` tag, so
# scikit-learn cuts rows *and* columns: it is fitted on ``A[train][:, train]`` and transforms
# ``A[test][:, train]``, the edges from test nodes to training nodes. Nothing of the test nodes is
# seen before.

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsekit.compose import NodeFeatures
from sparsekit.embedding import FastRP


def classifier(features):
    return make_pipeline(features, StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))


A = graph.adjacency
nodes = np.arange(graph.n_nodes).reshape(-1, 1)
inductive = classifier(FastRP(random_state=0))
transductive = classifier(NodeFeatures(FastRP(random_state=0), graph=graph))

folds = StratifiedKFold(5, shuffle=True, random_state=0)
for name, model, X in (("inductive", inductive, A), ("transductive", transductive, nodes)):
    accuracy = cross_val_score(model, X, blocks, cv=folds)
    print(f"{name:14}{accuracy.mean():.3f}")

# %%
# Why they differ
# ---------------
# With a share p of the nodes for training, the inductive model is fitted on about p² of the edges,
# and a test node keeps about p of its own. The transductive model has all edges, always.

from sklearn.model_selection import StratifiedShuffleSplit

shares = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95]
scores = {"transductive": [], "inductive": []}
print("share p   edges left for the inductive fit   p²")
for share in shares:
    splits = StratifiedShuffleSplit(10, train_size=share, test_size=0.05, random_state=0)
    scores["inductive"].append(cross_val_score(inductive, A, blocks, cv=splits))
    scores["transductive"].append(cross_val_score(transductive, nodes, blocks, cv=splits))
    train, _ = next(splits.split(nodes, blocks))
    kept = A[train][:, train].nnz / A.nnz
    print(f"{share:7.2f}{kept:37.3f}{share**2:7.3f}")

figure, axes = plt.subplots(figsize=(5.6, 4), layout="constrained")
for (name, values), color in zip(scores.items(), ("tab:blue", "tab:orange"), strict=True):
    means = np.mean(values, axis=1)
    errors = np.std(values, axis=1, ddof=1) / np.sqrt(10)
    axes.errorbar(shares, means, errors, color=color, marker="o", capsize=3, label=name)
axes.axhline(0.2, color="0.6", linestyle=":")
axes.text(0.95, 0.21, "chance", color="0.4", ha="right", va="bottom")
axes.set(xlabel="share of nodes for training", ylabel="accuracy (mean of 10 splits)")
axes.set_ylim(0, 1)
axes.legend(loc="lower right", bbox_to_anchor=(1, 0.3), frameon=False)
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Which one to report
# -------------------
# The one that matches how the model will be used, and say which. Two consequences:
#
# - Inductive cross-validation with few folds scores a model of a much thinner graph than the one
#   that goes into use: take ten folds or more.
# - A transductive score says nothing about nodes that arrive later.
#
# A node that arrives later is embedded from its row of weights alone. Here the last node is left
# out, fitted nodes stay where they are, and the new row has one column a fitted node:

fitted = inductive.fit(A[:-1, :-1], blocks[:-1])
print("block:", blocks[-1], " predicted:", fitted.predict(A[[-1], :-1])[0])
