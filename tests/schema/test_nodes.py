"""YAML text -> nodes: text as written, positions, and what is refused."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigurationError, Problem
from gateway.schema.nodes import (
    DEPTH_LIMIT,
    NODE_LIMIT,
    PROBLEM_LIMIT,
    TEXT_LIMIT,
    Document,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    compose,
    decode,
    quote,
)


def plain(node: Node) -> object:
    match node:
        case ScalarNode(text=text):
            return text
        case ListNode(items=items):
            return [plain(item) for item in items]
        case MapNode(entries=entries):
            return {key.text: plain(value) for key, value in entries}
        case _:
            return None


def problems(text: str) -> list[str]:
    try:
        document = compose(text, "x.yaml")
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return [str(problem) for problem in document.problems]


TEXTS = {
    "words that YAML 1.1 takes for truths stay words": ("[on, NO, y, true]", ["on", "NO", "y", "true"]),
    "numbers stay as written": ("[0123, 1_000, 22:30, 1e3, .5]", ["0123", "1_000", "22:30", "1e3", ".5"]),
    "nothing is an empty text": ("a:\nb: ~", {"a": "", "b": "~"}),
    "a date is a text": ("a: 2027-06-30", {"a": "2027-06-30"}),
    "blocks keep their lines": ("a: |\n  x\n   y\nb: >\n  x\n  y\n", {"a": "x\n y\n", "b": "x y\n"}),
    "keys keep their order": ("b: 1\na: 2", {"b": "1", "a": "2"}),
    "a key may look like a truth": ("on: 1\nno: 2", {"on": "1", "no": "2"}),
    "a byte order mark is no text": ("\ufeffa: 1", {"a": "1"}),
    "Vietnamese": ("tên: đồng ý", {"tên": "đồng ý"}),
    "an escape says what may not be written": ('a: "\\u202e"', {"a": "\u202e"}),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_scalars_are_the_text_that_was_written(text: str, expected: object) -> None:
    document = compose(text, "x.yaml")
    assert plain(document.root) == expected
    assert not document.problems


def nodes_of(document: Document) -> dict[str, Node]:
    found: dict[str, Node] = {}
    waiting = [document.root]
    while waiting:
        node = waiting.pop()
        found[str(node.place)] = node
        waiting += node.items if isinstance(node, ListNode) else ()
        waiting += [value for _, value in node.entries] if isinstance(node, MapNode) else ()
    return found


def test_every_node_knows_its_line_column_and_place() -> None:
    nodes = nodes_of(compose("rules:\n  - id: one\n    when: {all: [a, 'b']}\n  - id: hai\n", "x.yaml"))
    assert {place: (node.line, node.column) for place, node in nodes.items()} == {
        "": (1, 1),
        "rules": (2, 3),
        "rules[0]": (2, 5),
        "rules[0].id": (2, 9),
        "rules[0].when": (3, 11),
        "rules[0].when.all": (3, 17),
        "rules[0].when.all[0]": (3, 18),
        "rules[0].when.all[1]": (3, 21),
        "rules[1]": (4, 5),
        "rules[1].id": (4, 9),
    }


def test_a_mapping_gives_its_values_by_key() -> None:
    root = compose("a: 1\nb: 2", "x.yaml").root
    assert isinstance(root, MapNode)
    assert plain(root.get("b") or root) == "2"
    assert root.get("c") is None


def test_quoted_and_empty_scalars_are_told_apart() -> None:
    root = compose("[~, '', x, 'x', \"\"]", "x.yaml").root
    assert isinstance(root, ListNode)
    assert [node.quoted for node in root.items if isinstance(node, ScalarNode)] == [False, True, False, True, True]
    entry = compose("a:", "x.yaml").root
    assert isinstance(entry, MapNode)
    assert [value.empty for _, value in entry.entries if isinstance(value, ScalarNode)] == [True]


REFUSED = {
    "an empty file": ("", ["x.yaml:1:1: the file is empty"]),
    "nothing but comments": ("# later\n", ["x.yaml:1:1: the file is empty"]),
    "a doubled key": ("a: 1\n\na: 2", ['x.yaml:3:1: duplicate key "a"; previously defined at line 1, column 1']),
    "a doubled key in quotes": (
        "{a: 1, 'a': 2}",
        ['x.yaml:1:8: duplicate key "a"; previously defined at line 1, column 2'],
    ),
    "an anchor": ("a: &x 1", ['x.yaml:1:4: anchor "&x": anchors and aliases are not taken']),
    "an unknown alias": (
        "a: *x",
        ['x.yaml:1:4: alias "*x": aliases are not taken, write the value out'],
    ),
    "an alias for a key": (
        "*x : 1",
        ['x.yaml:1:1: alias "*x": aliases are not taken, write the value out'],
    ),
    "a standard tag": (
        "a: !!int 1",
        ['x.yaml:1:4: tag "tag:yaml.org,2002:int": tags are not taken, types are known from the keys'],
    ),
    "a mapping for a key": ("? {a: 1}\n: 2", ["x.yaml:1:3: a key must be a single text, not a list or mapping"]),
    "a second document": ("a: 1\n---\nb: 2", ["x.yaml:2:1: a second document begins here; only one is taken"]),
    "a control character": (
        "a: 1\nb: \x01",
        ["x.yaml:2:4: character U+0001 is not allowed; in double quotes it may be written as an escape"],
    ),
    "half a surrogate pair": (
        "a: \ud800",
        ["x.yaml:1:4: character U+D800 is not allowed; in double quotes it may be written as an escape"],
    ),
    "text that reads other than it works": (
        "a: x\u2066y",
        ["x.yaml:1:5: character U+2066 is not allowed; in double quotes it may be written as an escape"],
    ),
    "a NUL by escape": ('a: "\\0"', ["x.yaml:1:4: the value holds the control character U+0000"]),
    "a carriage return by escape": ('a: "\\r"', ["x.yaml:1:4: the value holds the control character U+000D"]),
    "a list that does not end": (
        "a: [1",
        ["x.yaml:2:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence that begins at line 1"],
    ),
    "everything at once": (
        "a: &x 1\na: *x\n? [b]\n: !t 2",
        [
            'x.yaml:1:4: anchor "&x": anchors and aliases are not taken',
            'x.yaml:2:1: duplicate key "a"; previously defined at line 1, column 1',
            'x.yaml:2:4: alias "*x": aliases are not taken, write the value out',
            "x.yaml:3:3: a key must be a single text, not a list or mapping",
            'x.yaml:4:3: tag "!t": tags are not taken, types are known from the keys',
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_and_where(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


LIMITS = {
    "the greatest depth": ("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, ""),
    "one deeper": ("[" * (DEPTH_LIMIT + 1) + "]" * (DEPTH_LIMIT + 1), "nested deeper than 50 levels"),
    "a hundred thousand brackets": (
        "[" * 100_000,
        "not YAML: exceeded maximum nesting depth while increasing flow level",
    ),
    "a hundred thousand mappings": ("{a: " * 100_000, "nested deeper than 50 levels"),
    "the most nodes": ("[" + "x," * (NODE_LIMIT - 1) + "]", ""),
    "one node more": ("[" + "x," * NODE_LIMIT + "]", "more than 200,000 values in one file"),
    "the biggest text": ("#" * (TEXT_LIMIT - 2) + "\nx", ""),
    "a bigger text": ("#" * (TEXT_LIMIT - 1) + "\nx", "the file is bigger than 2 MB"),
    "a text that is bigger as octets": ("#" + "đ" * (TEXT_LIMIT // 2) + "\nx", "the file is bigger than 2 MB"),
}


@pytest.mark.parametrize(("text", "expected"), LIMITS.values(), ids=LIMITS)
def test_limits(text: str, expected: str) -> None:
    assert [problem.partition(": ")[2] for problem in problems(text)] == ([expected] if expected else [])


def test_a_file_that_is_wrong_all_over_gives_a_bounded_number_of_problems() -> None:
    assert len(problems("{" + "a: &x !t 1, " * 50_000 + "}")) == PROBLEM_LIMIT


def test_places_under_a_long_key_cost_little_memory() -> None:
    text = '"' + "k" * 1000 + '": [' + "x, " * 100_000 + "]"
    tracemalloc.start()
    compose(text, "x.yaml")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000_000


@given(st.text() | st.text("abc:-[]{}&*!|>'\"#%@,? \n\t\r\0\x85\u2028\ufeff\ud800"))
def test_any_text_gives_a_document_or_problems(text: str) -> None:
    try:
        document = compose(text, "x.yaml")
    except ConfigurationError as error:
        found = error.problems
    else:
        found = document.problems or (Problem("x.yaml", 1, 1, "none"),)
        assert all(place.isprintable() for place in nodes_of(document))
    assert found
    assert all(problem.line >= 1 and problem.column >= 1 for problem in found)


@given(st.binary())
def test_any_octets_give_text_or_a_problem(content: bytes) -> None:
    try:
        text = decode(content, "x.yaml")
    except ConfigurationError as error:
        [problem] = error.problems
        assert "is not UTF-8" in problem.message
    else:
        assert text.encode() == content.removeprefix(b"\xef\xbb\xbf")


def test_more_octets_than_the_limit_are_not_decoded() -> None:
    with pytest.raises(ConfigurationError, match="bigger than 2 MB"):
        decode(b"\xff" * (TEXT_LIMIT + 1), "x.yaml")


def test_the_place_of_what_is_not_utf_8() -> None:
    with pytest.raises(ConfigurationError, match=r"x\.yaml:2:4: byte 0xe9 is not UTF-8"):
        decode("tên: 1\nabc".encode() + b"\xe9", "x.yaml")


@given(st.text())
def test_quoted_text_is_one_short_printable_line(text: str) -> None:
    quoted = quote(text)
    assert quoted.isprintable()
    assert len(quoted) <= 2 + 60 * 10
