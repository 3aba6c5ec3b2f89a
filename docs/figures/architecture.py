"""The architecture in one picture: layers stand on those below them."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

TODAY, LATER, CORE, FRONT = "#cfe3f7", "#f0f0f0", "#1f5f99", "#ffe2b0"


def draw_box(axes, left, bottom, width, height, title, text, color=TODAY):
    """Draw one part of the package; what is planned gets a broken line."""
    box = FancyBboxPatch(
        (left, bottom),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=color,
        edgecolor="0.45",
        linewidth=0.8,
        linestyle="--" if color == LATER else "-",
    )
    axes.add_patch(box)
    style = {"ha": "center", "va": "center", "color": "white" if color == CORE else "0.1"}
    middle = left + width / 2, bottom + height / 2
    axes.text(middle[0], middle[1] + 0.17, title, fontsize=10, fontweight="bold", **style)
    axes.text(middle[0], middle[1] - 0.2, text, fontsize=8, **style)


figure, axes = plt.subplots(figsize=(9, 4.6), layout="constrained")
draw_box(axes, 0, 4.0, 4.9, 0.85, "plotting", "one display a family", FRONT)
draw_box(axes, 5.1, 4.0, 4.9, 0.85, "cli", "one command a family: files in, files out", FRONT)
families = [
    ("embedding", "FastRP", TODAY),
    ("graphlets", "orbit counts", TODAY),
    ("causal", "CoLiDE", TODAY),
    ("linear_model", "planned", LATER),
    ("cluster", "planned", LATER),
]
for position, (name, text, color) in enumerate(families):
    draw_box(axes, 2.04 * position, 2.6, 1.84, 1.05, name, text, color)
draw_box(axes, 0, 1.4, 3.3, 0.85, "graph", "how a graph enters, once")
draw_box(axes, 3.5, 1.4, 1.8, 0.85, "compose", "NodeFeatures")
draw_box(axes, 5.5, 1.4, 2.1, 0.85, "metrics", "distances of graphs")
draw_box(axes, 7.8, 1.4, 2.2, 0.85, "datasets", "real and generated")
modules = "jit  csr  random  memory  partition  ordering  cliques  cycles  bits  linalg  dag"
draw_box(axes, 0, 0, 10, 1.05, "core", f"arrays in, arrays out:    {modules}", CORE)
axes.annotate("", (10.4, 4.7), (10.4, 0.2), arrowprops={"arrowstyle": "<|-", "color": "0.4"})
axes.text(10.6, 2.45, "imports point down", rotation=90, ha="center", va="center", color="0.4")
axes.set(xlim=(-0.1, 10.8), ylim=(-0.1, 5))
axes.set_axis_off()
plt.show()
