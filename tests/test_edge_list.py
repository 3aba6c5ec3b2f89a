"""read_edge_list: layouts, headers, names, compression, and what is wrong with a file."""

import gzip
import zlib

import numpy as np
import pytest

from sparsekit.graph import Graph, read_edge_list


@pytest.fixture
def read(tmp_path):
    """Write a file and read it as a graph."""

    def write_and_read(content, name="edges.txt", **arguments):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_edge_list(path, **arguments)

    return write_and_read


PATH = Graph([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
NAMED = Graph([[0, 2, 0], [2, 0, 0.5], [0, 0.5, 0]], node_names=["a", "b", "c"])


@pytest.mark.parametrize(
    "text",
    [
        "0 1\n1 2\n",
        "0 1\n1 2",
        "0\t1\n1\t2\n",
        "  0   1\n\n1 \t 2\n\n",
        "0,1\r\n1,2\r\n",
        "0 ; 1\n1;2\n",
        "# nodes edges\n% a comment\n0 1\n#0 2\n1 2\n",
        "# written 2024-01-05 at 07:30, 03 edges\n0 1\n1 2\n",
        "\ufeff0,1\n1,2\n",
        '"0","1"\n"1","2"\n',
        "source,target\n0,1\n1,2\n",
        "From\tTo\n0\t1\n1\t2\n",
        '"SRC","DST"\n0,1\n1,2\n',
        "id,src,dst,date\n7,0,1,01/02/2020\n8,1,2,05/06/2021\n",
        "0 1 1\n1 2 1.0\n",
        "0 1 +1\n1 2 01.0\n",
    ],
)
def test_integer_ids(read, text):
    assert read(text) == PATH


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Smith, J\tDoe\nRoe, A\tPoe\n", ["Doe", "Poe", "Roe, A", "Smith, J"]),
        ("a,b;c\nc;d\n", ["a,b", "c", "d"]),
        ('"New York" Boston\nBoston  "Los Angeles"\n', ["Boston", "Los Angeles", "New York"]),
        ("u v\nv w\nw u\n", ["u", "v", "w"]),
        ('a,"b;c"\n', ["a", "b;c"]),
        ('"x;y","z"\nz,"p\tq"\n', ["p\tq", "x;y", "z"]),
        ('"a\tb" c\n', ["a\tb", "c"]),
        ('a, "b,c"\nd, "e,f"\n', ["a", "b,c", "d", "e,f"]),
        ("9223372036854775808 2\n3 4\n", ["2", "3", "4", "9223372036854775808"]),
    ],
)
def test_names_with_marks_of_other_layouts(read, text, names):
    graph = read(text)
    assert graph.node_names.tolist() == names
    assert graph.n_edges == text.count("\n")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1 2 0,5\n2 3 1,5\n", "write 0.5 for 0,5"),
        ("type a 1,2\ntype b 3,4\n", "start with a header line"),
        ("a;b;0,5\nb;c;1,5\n", "0,5"),
        ("1\t2\t0,5\n2\t3\t1,5\n", "0,5"),
        (f"a,{'b' * 200_000}\nc,d\n", "field larger than field limit"),
    ],
)
def test_refused_rather_than_misread(read, text, hint):
    with pytest.raises(ValueError, match=hint):
        read(text)


def test_unusual_line_separators_are_part_of_a_name(read):
    assert read("a\u2028b,c\n").node_names.tolist() == ["a\u2028b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "a b 2\nb c 0.5\n",
        "a,b,2\nc,b,.5\n",
        "b\ta\t1e0\na\tb\t1\nc\tb\t5e-1\n",
        "gene1;gene2;combined_score\na;b;2\nb;c;0.5\n",
        "Weight,other,Target,Source\n2,x,b,a\n0.5,y,c,b\n",
        'source,target,weight\n"a","b",2\nb , c ,0.5\n',
        "from to value\na b 2\nb c 0.5\n",
    ],
)
def test_names_and_weights(read, text):
    assert read(text) == NAMED


def test_a_string_path_and_no_change_to_the_file(tmp_path):
    path = tmp_path / "edges.txt"
    path.write_text("0 1\n1 2\n")
    assert read_edge_list(str(path)) == PATH
    assert path.read_text() == "0 1\n1 2\n"


def test_directions(read):
    text = "0 1 2\n1 0 3\n0 1 5\n1 1 7\n"
    assert read(text).adjacency.toarray().tolist() == [[0, 10], [10, 7]]
    directed = read(text, directed=True)
    assert directed.is_directed
    assert directed.adjacency.toarray().tolist() == [[0, 7], [3, 7]]
    assert not read("0 1\n").is_directed


def test_integers_with_gaps_are_names_in_increasing_order(read):
    graph = read("10 9\n9 100\n-1 9\n")
    assert graph.node_names.tolist() == [-1, 9, 10, 100]
    assert graph.indices_of([100, 9]).tolist() == [3, 1]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("007 1\n1 2\n", ["007", "1", "2"]),
        ("001 002\n002 010\n", ["001", "002", "010"]),
        ("+1 1\n", ["+1", "1"]),
        ("1 b\n", ["1", "b"]),
        ("1.0 2\n", ["1.0", "2"]),
        ("12345678901234567890 1\n", ["1", "12345678901234567890"]),
        ("x#1 y%2\n", ["x#1", "y%2"]),
        ("nan inf\n", ["inf", "nan"]),
        ("ä 分子\n", ["ä", "分子"]),
        ('source,target\n"Smith, J","a ""b"""\n', ['Smith, J', 'a "b"']),
        ("new york\tlos angeles\n", ["los angeles", "new york"]),
    ],
)  # fmt: skip
def test_other_ids_are_strings_as_written(read, text, names):
    assert read(text).node_names.tolist() == sorted(names)


def test_names_are_sorted_as_strings_only_where_they_are_strings(read):
    assert read("10 9 +1\n9 2 1\n").node_names.tolist() == [2, 9, 10]
    assert read("10 9\n9 x\n").node_names.tolist() == ["10", "9", "x"]


@pytest.mark.parametrize("name", ["edges.txt.gz", "edges.csv.gz"])
def test_gzip(read, name):
    assert read(gzip.compress(b"a,b,2\nb,c,0.5\n"), name) == NAMED
    whole = gzip.compress(b"a,b,2\n") + gzip.compress(b"b,c,0.5\n")
    assert read(whole, name) == NAMED


def corrupt_gzip():
    """A gzip file whose header is right and whose compressed stream is not."""
    content = bytearray(gzip.compress(bytes(np.arange(48, 58, dtype=np.uint8)) * 100))
    content[10:14] = b"\xff" * 4
    with pytest.raises(zlib.error):
        gzip.decompress(content)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"0 1\n", "not a complete gzip file"),
        (gzip.compress(b"0 1\n" * 99)[:-6], "not a complete gzip file"),
        (corrupt_gzip(), "not a complete gzip file"),
        (gzip.compress(b""), "no edges found"),
    ],
)
def test_bad_gzip(read, content, hint):
    with pytest.raises(ValueError, match=rf"edges\.gz: {hint}"):
        read(content, "edges.gz")


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("", "no edges found: the file is empty or holds comments only"),
        ("\n# 0 1\n", "no edges found"),
        ("source,target\n", "no edges found below the header"),
        ("%%MatrixMarket matrix coordinate\n2 2 1\n1 2 1\n", r"read it by scipy\.io\.mmread"),
        (b"\xe9 b\n", "not a text file in UTF-8"),
        ("0 1\n".encode("utf-16"), "not a text file in UTF-8"),
        ("0\n1\n", r"two ids and optionally a weight a line, got 1 column\(s\) in '0'"),
        ("0 1 2 3\n", r"got 4 column\(s\).*start with a header line that names the columns"),
        ("a b\nb c 1\n", r"edge 2 has 3 column\(s\), the first line 2: 'b c 1'"),
        ("0 1\n1 2 1\n", r"edge 2 has 3 column\(s\), the first line 2"),
        ("0 1 1\n1 2\n", r"edge 2 has 2 column\(s\), the first line 3"),
        ("source,target\n0,1\n1,2,5\n", r"edge 2 has 3 column\(s\), the first line 2"),
        ("source,target,note\n0,1,x\n1,2\n", r"edge 2 has 2 column\(s\), the first line 3"),
        ("first second\n0 1\n1 2\n", "looks like a header, but its columns are not called source"),
        ("a,b,heavy\n", "could not convert string to float: .*heavy"),
        ("0,1,heavy\n", "heavy"),
        ("a,,1\n", "an id or a weight is empty"),
        ("a,b,\n", "an id or a weight is empty"),
        ("a b nan\n", "finite"),
        ("0 1 inf\n", "finite"),
    ],
)
def test_bad_files(read, content, hint):
    with pytest.raises(ValueError, match=hint):
        read(content)


@pytest.mark.parametrize("content", ["0 1 nan\n", "a b x\n", "0 1\n2\n", "0\n"])
def test_messages_name_the_file(read, content):
    with pytest.raises(ValueError, match=r"edges\.txt: "):
        read(content)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_edge_list(tmp_path / "missing.txt")
    with pytest.raises(OSError, match="directory"):
        read_edge_list(tmp_path)
