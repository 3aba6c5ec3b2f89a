"""
================================================
Roles are not communities: orbits of graphlets
================================================

Two nodes have the same *role* if their surroundings look alike, wherever they are: the heads of two
rival groups share a role and nothing else. A *community* is the opposite: nodes that are close to
each other, whatever they do there.

Orbit counts describe roles. For each node they say how often it sits where in the small connected
subgraphs (graphlets) of the graph: in the middle of an open path, at a corner of a triangle, at the
end of a chain. We count them in Zachary's karate club, group its members by them, and compare with
what an embedding and the plain number of friends say about the same people.
"""

# %%
# Who sits where
# --------------
# 34 members, 78 friendships. The club later split into the followers of the instructor (node 0) and
# those of the president (node 33).
#
# :func:`~sparsekit.graphlets.count_orbits` returns one row a member and one column an orbit. The
# columns are the numbers in this picture: orbit 2 is the middle of an open path, orbit 3 a corner
# of a triangle, orbit 5 the inside of a chain of four, orbit 14 a corner of a group of four who all
# know each other.

import matplotlib.pyplot as plt
import numpy as np

from sparsekit.datasets import load_karate_club
from sparsekit.graphlets import count_orbits
from sparsekit.plotting import plot_graphlets

plot_graphlets(4)
plt.show()

club = load_karate_club()
counts = count_orbits(club.graph)
shown = [0, 1, 2, 3, 5, 7, 14]
print("member " + "".join(f"{'orbit ' + str(orbit):>10}" for orbit in shown))
for member in np.argsort(-counts[:, 2])[:6]:
    print(f"{member:6d} " + "".join(f"{counts[member, orbit]:10d}" for orbit in shown))

# %%
# Brokers
# -------
# Orbit 2 counts pairs of friends who do not know each other: what a member brokers. The matrix of
# rank correlations over all members shows which orbits say the same and which do not. Orbits 2, 5
# and 11 rise with the number of friends (orbit 0), whereas the loose ends, orbits 6 and 9, do not
# follow it at all.

from sparsekit.plotting import OrbitDisplay

OrbitDisplay.from_counts(counts, kind="correlation")
plt.show()

# %%
# Groups of members in the same role
# ----------------------------------
# :class:`~sparsekit.graphlets.OrbitCounter` is the same as a transformer, so it goes into a
# pipeline. Counts span orders of magnitude: ``log=True`` and a scaler bring them together before
# anything looks at distances.

from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsekit.graphlets import OrbitCounter


def clusters(features, n_clusters):
    return make_pipeline(features, StandardScaler(), KMeans(n_clusters, n_init=10, random_state=0))


roles = clusters(OrbitCounter(log=True), 4).fit_predict(club.data)
order = np.argsort([-np.median(counts[roles == role, 2]) for role in range(4)])
roles = np.argsort(order)[roles]  # role 0 brokers most
for role in range(4):
    print(f"role {role}: members {np.flatnonzero(roles == role).tolist()}")

# %%
# Role 0 holds both heads and the three members around them; the other roles are regulars inside
# the two camps, hangers-on with few friends, and three members at the far ends. The signatures say
# what distinguishes them: medians of the counts, with a band from quartile to quartile.

names = np.array([f"role {role}" for role in roles])
OrbitDisplay.from_counts(counts, names)
plt.show()

# %%
# Beside an embedding, and beside the number of friends
# ------------------------------------------------------
# :class:`~sparsekit.embedding.FastRP` gives nearby nodes similar vectors. Two clusters of them are
# almost the two camps of the split; the roles have nothing to do with the camps. (The adjusted Rand
# index is 1 for the same partition and about 0 for an unrelated one.)
#
# An honest baseline is the number of friends alone. It finds the same heads, because brokers have
# many friends; it differs elsewhere, where members with equally many friends sit differently.

from sklearn.metrics import adjusted_rand_score

from sparsekit.embedding import FastRP

communities = clusters(FastRP(32, hop_weights=3, deflate=True, random_state=0), 2).fit_predict(
    club.data
)
if np.mean(communities == club.target) < 0.5:  # the numbers of clusters are arbitrary
    communities = 1 - communities
by_degree = KMeans(4, n_init=10, random_state=0).fit_predict(np.log(counts[:, :1]))
print("adjusted Rand index         with the camps   with the roles")
for name, labels in (
    ("roles (orbits)", roles),
    ("number of friends alone", by_degree),
    ("communities (FastRP)", communities),
):
    with_camps = adjusted_rand_score(club.target, labels)
    with_roles = adjusted_rand_score(roles, labels)
    print(f"{name:28}{with_camps:14.2f}{with_roles:17.2f}")

# %%
# The same network, three times
# -----------------------------

import networkx as nx

network = nx.from_scipy_sparse_array(club.data)
places = nx.kamada_kawai_layout(network, weight=None)
figure, axes = plt.subplots(ncols=3, figsize=(12, 4), layout="constrained")
for ax, (title, labels) in zip(
    axes,
    (
        ("camps after the split", club.target),
        ("communities (FastRP)", communities),
        ("roles (orbits)", roles),
    ),
    strict=True,
):
    nx.draw_networkx_edges(network, places, ax=ax, edge_color="0.8")
    nx.draw_networkx_nodes(
        network, places, ax=ax, node_color=[f"C{label}" for label in labels], node_size=130
    )
    nx.draw_networkx_labels(network, places, ax=ax, font_size=7, font_color="white")
    ax.set_title(title)
    ax.set_axis_off()
plt.show()

# %%
# Two members with four friends each
# ----------------------------------
# What orbits add to the number of friends shows in a pair. The four friends of member 7 all know
# each other: no open path, six triangles, and as many groups of four as there can be. The friends
# of member 27 hardly know each other: one triangle, and five open pairs to broker between.

# sphinx_gallery_thumbnail_number = 4

pair = [7, 27]
OrbitDisplay.from_counts(counts[pair], [f"member {member}" for member in pair])
plt.show()

# %%
# What to take from this
# ----------------------
# - Use orbits where the position of a node in its surroundings matters (who brokers, who closes
#   triangles, who hangs on), an embedding where it matters to whom it is close.
# - In a small network, roles follow the number of neighbours to a large extent. Print the baseline.
# - Four roles were chosen to look at, not found: with k-means another number gives another picture.
