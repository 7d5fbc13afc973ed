"""Nodes -> declared types: what each type takes, and the words of every problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigurationError
from gateway.schema.nodes import PROBLEM_LIMIT, ListNode, MapNode, Node, ScalarNode, compose
from gateway.schema.pattern import Pattern
from gateway.schema.reader import INVALID, Invalid, Misfit, Reader, load
from gateway.schema.scalars import Duration, Network, Size
from gateway.schema.shapes import NOWHERE, Position, shape_of


class Strength(IntEnum):
    TAG = 1
    QUARANTINE = 3


class Way(StrEnum):
    BY_LIST = "by-list"
    NONE = "none"


@dataclass(frozen=True)
class Comparison:
    """Reads itself from `>= 5`."""

    operator: str
    number: int

    NODES = (ScalarNode,)
    EXPECTED = 'a comparison such as ">= 5"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Comparison | Invalid:
        text = reader.read(node, str)
        if isinstance(text, Invalid):
            return text
        operator, _, number = text.partition(" ")
        if operator not in (">=", "<="):
            return reader.wrong(node, cls.EXPECTED)
        return cls(operator, int(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    id: str
    then: Strength
    not_: Rule | None = field(default=None, metadata={"key": "not"})
    tags: tuple[str, ...] = ()
    low: int = 0
    high: int = 10
    position: Position = NOWHERE

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise Misfit("low", "must not be above high")
        if self.id == "bad":
            raise ValueError("a bad rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    rules: tuple[Rule, ...]


def read(text: str, wanted: Any) -> Any:
    """The value under the key `v`, or the problems."""
    document = compose(f"v: {text}", "x.yaml")
    assert isinstance(document.root, MapNode)
    reader = Reader(document)
    value = reader.read(document.root.entries[0][1], wanted)
    assert (value is INVALID) == bool(reader.problems)
    return [str(problem).removeprefix("x.yaml:1:") for problem in reader.problems] if value is INVALID else value


TAKEN: dict[str, tuple[str, Any, Any]] = {
    "a text that looks like a truth": ("on", str, "on"),
    "an empty text in quotes": ('""', str, ""),
    "a literal": ("off", Literal["off", "may"], "off"),
    "an enumeration of texts by its value": ("by-list", Way, Way.BY_LIST),
    "an enumeration of numbers by its name": ("quarantine", Strength, Strength.QUARANTINE),
    "a list": ("[1, 2]", tuple[int, ...], (1, 2)),
    "an empty list": ("[]", tuple[int, ...], ()),
    "one value for a list of one": ("1", tuple[int, ...], (1,)),
    "a set": ("[a, b, a]", frozenset[str], frozenset({"a", "b"})),
    "a mapping": ("{a: 1, b: 2}", Mapping[str, int], {"a": 1, "b": 2}),
    "a mapping with typed keys": ("{tag: 1m}", Mapping[Strength, Duration], {Strength.TAG: 60.0}),
    "nothing where nothing may be": ("", int | None, None),
    "none where nothing may be": ("none", int | None, None),
    "Null where nothing may be": ("Null", str | None, None),
    "a tilde where nothing may be": ("~", tuple[str, ...] | None, None),
    "none in quotes is a text": ("'none'", str | None, "none"),
    "none is a word of its own without None": ("none", Way, Way.NONE),
    "a value where nothing may be": ("5", int | None, 5),
    "a union by the kind of node: scalar": ("a", str | Mapping[str, int], "a"),
    "a union by the kind of node: mapping": ("{a: 1}", str | Mapping[str, int], {"a": 1}),
    "a union of scalars takes the first that fits": ("5", int | str, 5),
    "a union of scalars takes the next": ("5x", int | str, "5x"),
    "a network in a union": ("10.0.0.0/8", Network | None, ip_network("10.0.0.0/8")),
    "networks": ('["::1"]', tuple[Network, ...], (ip_network("::1"),)),
    "a size": ("25MB", Size, 25_000_000),
    "a pattern": ("'(?i)mật'", Pattern, Pattern("(?i)mật")),
    "a class that reads itself": ("'>= 5'", Comparison, Comparison(">=", 5)),
    "a class that reads itself or a number": ("5", int | Comparison, 5),
    "a path from the folder of the file": ("a/b", Path, Path("a/b")),
    "a dataclass": ("{id: 1, then: tag}", Rule, Rule(id="1", then=Strength.TAG, position=Position("x.yaml", 1, 4))),
}


@pytest.mark.parametrize(("text", "wanted", "value"), TAKEN.values(), ids=TAKEN)
def test_taken(text: str, wanted: Any, value: Any) -> None:
    assert read(text, wanted) == value


KEYS = '"id", "then", "not", "tags", "low", "high"'
REFUSED: dict[str, tuple[str, Any, list[str]]] = {
    "a list for a text": ("[a]", str, ["4: v must be a text, not a list"]),
    "nothing for a text": ("", str, ["3: v must be a text, not empty"]),
    "a mapping for a number": ("{a: 1}", int, ["4: v must be a whole number such as 50, not a mapping"]),
    "a misspelt word": (
        "quarentine",
        Strength,
        ['4: v must be one of "tag", "quarantine", not "quarentine" (did you mean "quarantine"?)'],
    ),
    "a word in capitals": (
        "TAG",
        Strength,
        ['4: v must be one of "tag", "quarantine", not "TAG" (did you mean "tag"?)'],
    ),
    "a word like no other": ("x", Literal["only"], ['4: v must be "only", not "x"']),
    "a list for a word": ("[tag]", Strength, ['4: v must be one of "tag", "quarantine", not a list']),
    "each bad item of a list": (
        "[1, x, y]",
        tuple[int, ...],
        [
            '8: v[1] must be a whole number such as 50, not "x"',
            '11: v[2] must be a whole number such as 50, not "y"',
        ],
    ),
    "a scalar for a list of mappings": ("x", tuple[Rule, ...], ['4: v must be a list, not "x"']),
    "a mapping for a list": ("{a: 1}", tuple[str, ...], ["4: v must be a list, not a mapping"]),
    "nothing for a list": ("", tuple[str, ...], ["3: v must be a list, not empty"]),
    "a list for a mapping": ("[a]", Mapping[str, str], ["4: v must be a mapping, not a list"]),
    "a bad key and a bad value": (
        "{tog: 1x}",
        Mapping[Strength, int],
        [
            '5: v.tog must be one of "tag", "quarantine", not "tog" (did you mean "tag"?)',
            '10: v.tog must be a whole number such as 50, not "1x"',
        ],
    ),
    "no member of a union": (
        "x",
        int | Literal["a", "b"],
        ['4: v must be a whole number such as 50 or one of "a", "b", not "x"'],
    ),
    "a kind that no member of a union is": (
        "[a]",
        int | Mapping[str, str],
        ["4: v must be a whole number such as 50 or a mapping, not a list"],
    ),
    "the only member that fits tells what is wrong": (
        "{a: x}",
        int | Mapping[str, int] | None,
        ['8: v.a must be a whole number such as 50, not "x"'],
    ),
    "a pattern that RE2 does not know": ("'a(?=b)'", Pattern, [
        "4: v: not a pattern that RE2 knows: invalid perl operator: (?="
    ]),
    "a pattern that repeats too often": ("'a{2000}'", Pattern, [
        "4: v: not a pattern that RE2 knows: invalid repetition size: {2000}"
    ]),
    "a class that says what it expects": (
        "'== 5'",
        Comparison,
        ['4: v must be a comparison such as ">= 5", not "== 5"'],
    ),
    "a class that raises ValueError": (
        "'>= x'",
        Comparison,
        ["4: v: invalid literal for int() with base 10: 'x'"],
    ),
    "a kind that a class does not read": ("[a]", Comparison, ['4: v must be a comparison such as ">= 5", not a list']),
    "a scalar for a dataclass": ("x", Rule, ['4: v must be a mapping, not "x"']),
    "missing keys, at the mapping": ("{}", Rule, ['4: missing key "id" in v', '4: missing key "then" in v']),
    "an unknown key": (
        "{id: 1, then: tag, tgas: a}",
        Rule,
        [f'23: unknown key "tgas" in v; expected one of {KEYS} (did you mean "tags"?)'],
    ),
    "a field that has another key": (
        "{id: 1, then: tag, not_: ~}",
        Rule,
        [f'23: unknown key "not_" in v; expected one of {KEYS} (did you mean "not"?)'],
    ),
    "the position is no key": (
        "{id: 1, then: tag, position: 3}",
        Rule,
        [f'23: unknown key "position" in v; expected one of {KEYS}'],
    ),
    "a misfit, at its key": ("{id: 1, then: tag, low: 11}", Rule, ["28: v.low must not be above high"]),
    "a misfit of a key that is not written, at the mapping": (
        "{id: 1, then: tag, high: -1}",
        Rule,
        ["4: v.low must not be above high"],
    ),
    "another ValueError, at the mapping": ("{id: bad, then: tag}", Rule, ["4: v: a bad rule"]),
    "inside a dataclass inside": (
        "{id: 1, then: tag, not: {id: [], then: tug}}",
        Rule,
        [
            "33: v.not.id must be a text, not a list",
            '43: v.not.then must be one of "tag", "quarantine", not "tug" (did you mean "tag"?)',
        ],
    ),
    "nothing more is said of an alias": (
        "{id: *x, then: tag}",
        Rule,
        ['9: alias "*x": aliases are not taken, write the value out'],
    ),
    "a long value is cut": ("x" * 100, Strength, [f'4: v must be one of "tag", "quarantine", not "{"x" * 57}..."']),
    "a value is shown printable": ('"\\e\\u202e"', Strength, [
        "4: the value holds the control character U+001B",
        '4: v must be one of "tag", "quarantine", not "\\x1b\\u202e"',
    ]),
}


@pytest.mark.parametrize(("text", "wanted", "problems"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, wanted: Any, problems: list[str]) -> None:
    assert read(text, wanted) == problems


def test_load_tells_every_problem_in_the_order_of_the_file() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load("rules:\n- {id: a}\n- {then: x, id: b, id: c}\nmore: 1\n", "p/x.yaml", Rules)
    assert str(caught.value).split("\n") == [
        'p/x.yaml:2:3: missing key "then" in rules[0]',
        'p/x.yaml:3:10: rules[1].then must be one of "tag", "quarantine", not "x"',
        'p/x.yaml:3:20: duplicate key "id"; previously defined at line 3, column 13',
        'p/x.yaml:4:1: unknown key "more"; expected "rules"',
    ]


def test_load_gives_the_value_with_positions() -> None:
    rules = load("rules:\n  - id: a\n    then: tag\n  - {id: b, then: tag}\n", "p/x.yaml", Rules).rules
    assert [str(rule.position) for rule in rules] == ["p/x.yaml:2:5", "p/x.yaml:4:5"]


def test_the_document_itself_may_be_wrong() -> None:
    with pytest.raises(ConfigurationError, match=r"x\.yaml:1:1: the file must be a mapping, not a list"):
        load("- a", "x.yaml", Rules)


def test_nodes_can_be_kept_for_later() -> None:
    assert isinstance(read("{a: 1}", Node), MapNode)
    assert isinstance(read("[1]", Mapping[str, int] | ListNode), ListNode)
    assert read("x", MapNode) == ['4: v must be a mapping, not "x"']


def test_paths_start_at_the_folder_of_the_file() -> None:
    assert load("a: b.yaml", "etc/x.yaml", Mapping[str, Path]) == {"a": Path("etc/b.yaml")}
    assert load("a: /b.yaml", "etc/x.yaml", Mapping[str, Path]) == {"a": Path("/b.yaml")}


def test_a_file_that_is_wrong_all_over_is_read_in_bounded_work() -> None:
    text = "rules: [" + "{thenn: tagg, idd: x}, " * 20_000 + "]"
    with pytest.raises(ConfigurationError) as caught:
        load(text, "x.yaml", Rules)
    assert len(caught.value.problems) == PROBLEM_LIMIT


UNREADABLE = {
    "two lists in a union": tuple[int, ...] | tuple[str, ...],
    "two mappings in a union": Rule | Mapping[str, int],
    "a pair": tuple[int, int],
    "a literal number": Literal[1],
    "bytes": bytes,
}


@pytest.mark.parametrize("wanted", UNREADABLE.values(), ids=UNREADABLE)
def test_a_type_that_cannot_be_read_is_a_mistake_in_the_program(wanted: Any) -> None:
    with pytest.raises(TypeError):
        shape_of(wanted)


YAML_LIKE = st.recursive(
    st.sampled_from(["a", "on", "", "~", "5", "-1", "'x'", "tag", '"\\0"', "*a", "&a x", "!t x", "id", "then"]),
    lambda inner: st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]")
    | st.lists(st.tuples(st.sampled_from(["id", "then", "not", "tags", "low", "rules", "x"]), inner), max_size=5).map(
        lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
    ),
    max_leaves=20,
)


@given(YAML_LIKE | st.text())
def test_any_text_gives_a_value_or_problems(text: str) -> None:
    for wanted in (Rules, Mapping[str, Rule | int | None]):
        try:
            value = load(text, "x.yaml", wanted)
        except ConfigurationError:
            continue
        assert isinstance(value, Rules | dict)
