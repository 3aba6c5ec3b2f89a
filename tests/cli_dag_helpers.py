"""What the tests of ``sparsekit dag`` share: names, tables, runs and the edges to expect."""

import csv

import numpy as np

from sparsekit.cli import main

NAMES = ["rain", 'the "big" river', "harvest, wheat", "Ärger"]


def write_csv(path, rows, delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def run(capsys, *argv):
    """Standard output and error of a command that succeeds."""
    assert main(["dag", *map(str, argv)]) == 0
    return capsys.readouterr()


def expected_rows(model, names=NAMES):
    """Edges of a model as text, the largest weights first."""
    coo = model.adjacency_.tocoo()
    edges = sorted(zip(coo.row, coo.col, coo.data, strict=True), key=lambda edge: -abs(edge[2]))
    return [[names[i], names[j], repr(float(weight))] for i, j, weight in edges]


def close(rows, expected):
    """Names are the same, numbers nearly so."""
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    numbers = [[float(cell) for cell in row[2:]] for row in rows]
    np.testing.assert_allclose(numbers, [[float(x) for x in row[2:]] for row in expected], 1e-6)
