"""
====================================================
Node classification from few labels, with baselines
====================================================

A graph has many nodes and few of them are labelled: which label do the others have? Here the nodes
are 1797 images of handwritten digits, joined if one is among the ten nearest neighbours of the
other, and 5 % of them are labelled. We embed the graph by
:class:`~sparsekit.embedding.FastRP`, choose its parameters by cross-validation of the labelled
nodes, and compare with methods that solve the same task without it.

The task is *transductive*: the whole graph, including the edges of the unlabelled nodes, is known
when the model is fitted; only labels are held back. See
:ref:`sphx_glr_auto_examples_plot_embedding_inductive.py` for the other case.
"""

# %%
# Data
# ----
# A sample is a node, so X is one column of node numbers. The graph was built from the pixels of
# all images and knows no label.

import matplotlib.pyplot as plt
import numpy as np

from sparsekit.datasets import load_digits_graph

digits = load_digits_graph()
nodes = np.arange(digits.graph.n_nodes).reshape(-1, 1)
print(digits.graph)

# %%
# One grid search
# ---------------
# :class:`~sparsekit.compose.NodeFeatures` embeds the whole graph and hands out the rows of the
# nodes it is asked for. To scikit-learn it is an ordinary transformer, so the parameters of the
# embedding and those of the classifier are tuned together. Every fold holds back labels, not edges.

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsekit.compose import NodeFeatures
from sparsekit.embedding import FastRP


def classifier(features):
    return make_pipeline(features, StandardScaler(), LogisticRegression(max_iter=1000))


embedding = NodeFeatures(FastRP(random_state=0), graph=digits.graph)
embedding_grid = {
    "nodefeatures__transformer__hop_weights": [4, 16],
    "nodefeatures__transformer__operator": ["random_walk", "adjacency"],
    "logisticregression__C": [0.01, 1.0],
}
labelled, unlabelled, y_labelled, y_unlabelled = train_test_split(
    nodes, digits.target, train_size=0.05, stratify=digits.target, random_state=0
)
search = GridSearchCV(classifier(embedding), embedding_grid, cv=3).fit(labelled, y_labelled)
print(f"{len(labelled)} labelled nodes, {len(unlabelled)} to predict")
print("chosen:", search.best_params_)
print(f"accuracy: {search.score(unlabelled, y_unlabelled):.3f}")

# %%
# Baselines
# ---------
# A number means something only beside others. Each baseline gets the same labelled nodes and a grid
# of its own:
#
# - *pixels*: logistic regression on the pixels, without the graph;
# - *nearest neighbour*: on the pixels too, the rule that the graph was built with;
# - *singular vectors*: a truncated singular value decomposition of the adjacency;
# - *Laplacian eigenvectors*: scikit-learn's spectral embedding of the graph;
# - *label spreading*: on the graph itself, without any embedding.
#
# The first two need the images of the nodes, the last three only the graph, as FastRP does.

from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.manifold import SpectralEmbedding
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import LabelSpreading


class NodeLabelSpreading(ClassifierMixin, BaseEstimator):
    """Label spreading over a given graph; X is a column of node numbers."""

    def __init__(self, graph, alpha=0.2):
        self.graph = graph
        self.alpha = alpha

    def fit(self, X, y):
        known = np.full(self.graph.n_nodes, -1)
        known[X[:, 0]] = y
        model = LabelSpreading(
            kernel=lambda *_: self.graph.adjacency, alpha=self.alpha, max_iter=200
        )
        self.labels_ = model.fit(np.zeros((len(known), 1)), known).transduction_
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.labels_[X[:, 0]]


class LaplacianEigenvectors(TransformerMixin, BaseEstimator):
    """The first columns of a spectral embedding that is computed once."""

    vectors = SpectralEmbedding(64, affinity="precomputed", random_state=0).fit_transform(
        digits.data.toarray()
    )

    def __init__(self, n_components=16):
        self.n_components = n_components

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.vectors[X[:, 0], : self.n_components]

    def __sklearn_is_fitted__(self):
        return True


pixels = FunctionTransformer(lambda X: digits.features[X[:, 0]])
singular_vectors = NodeFeatures(TruncatedSVD(random_state=0), graph=digits.graph)
strengths = {"logisticregression__C": [0.01, 1.0]}
methods = {
    "pixels": (classifier(pixels), strengths),
    "nearest neighbour": (
        make_pipeline(pixels, KNeighborsClassifier()),
        {"kneighborsclassifier__n_neighbors": [1, 3, 5]},
    ),
    "singular vectors": (
        classifier(singular_vectors),
        strengths | {"nodefeatures__transformer__n_components": [16, 64]},
    ),
    "Laplacian eigenvectors": (
        classifier(LaplacianEigenvectors()),
        strengths | {"laplacianeigenvectors__n_components": [16, 64]},
    ),
    "label spreading": (NodeLabelSpreading(digits.graph), {"alpha": [0.2, 0.8, 0.95]}),
    "FastRP": (classifier(embedding), embedding_grid),
}

# %%
# One split of 90 labelled nodes is a matter of luck, so the comparison is repeated on five splits,
# the same for all methods.

from sklearn.model_selection import StratifiedShuffleSplit

splits = StratifiedShuffleSplit(5, train_size=0.05, random_state=1)
accuracies = {name: [] for name in methods}
for train, test in splits.split(nodes, digits.target):
    for name, (model, grid) in methods.items():
        tuned = GridSearchCV(model, grid, cv=3).fit(nodes[train], digits.target[train])
        accuracies[name].append(tuned.score(nodes[test], digits.target[test]))

for name, values in accuracies.items():
    print(f"{name:24}{np.mean(values):.3f}  (from {min(values):.3f} to {max(values):.3f})")

figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for position, (name, values) in enumerate(accuracies.items()):
    color = "tab:blue" if name == "FastRP" else "0.4"
    axes.plot(values, [position] * len(values), ".", color="0.7")
    axes.plot(np.mean(values), position, "o", color=color, markersize=8)
axes.set_yticks(range(len(accuracies)), accuracies)
axes.set(xlim=(0.8, 1), xlabel="accuracy (small: one split, large: mean)")
axes.grid(axis="y", color="0.9")
axes.set_axisbelow(True)
axes.invert_yaxis()
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# What the embedding looks like
# -----------------------------
# :class:`~sparsekit.plotting.EmbeddingDisplay` projects the 128 components to a plane, here by
# t-SNE: groups can be read off, their sizes and distances can not.

# sphinx_gallery_thumbnail_number = 2
from sklearn.manifold import TSNE

from sparsekit.plotting import EmbeddingDisplay

display = EmbeddingDisplay.from_estimator(
    search.best_estimator_[:-1],
    nodes,
    digits.target,
    method=TSNE(max_iter=500, random_state=0),
)
display.ax_.set_title("FastRP embedding, coloured by digit")
plt.show()

# %%
# What to take from this
# ----------------------
# Four to nine points separate the methods on the graph from those on the pixels of 90 images. Among
# the former the differences are smaller than the spread over the splits: where neighbours share
# labels, as here, label spreading needs no vectors and is about as good. An embedding is worth its
# computation when the vectors go further: into a classifier next to other columns, into a search
# for similar nodes, or to nodes that are not in the graph yet.
