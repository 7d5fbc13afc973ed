"""References to the environment and to files: what they become, and that no secret is ever shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.schema.nodes import compose
from gateway.schema.reader import Reader
from gateway.schema.secrets import with_secrets

ENVIRONMENT = {"NAME": "from the environment", "EMPTY": "", "NUMBER": "5", "RAW": "a\udcff", "BELL": "a\x07"}
FILES = {Path("etc/pw"): "s3cret\r\n", Path("/run/pw"): "two\nlines\n"}


def read_file(path: Path) -> str:
    if path not in FILES:
        raise FileNotFoundError(2, "No such file or directory")
    return FILES[path]


def read(text: str, wanted: object = Mapping[str, str]) -> object:
    document = with_secrets(compose(text, "etc/x.yaml"), ENVIRONMENT, read_file)
    reader = Reader(document)
    value = reader.read(document.root, wanted)
    reader.finish()
    return value


REPLACED = {
    "a variable": ("a: ${env:NAME}", {"a": "from the environment"}),
    "a variable in quotes": ('a: "${env:NAME}"', {"a": "from the environment"}),
    "an empty variable is an empty text": ("a: ${env:EMPTY}", {"a": ""}),
    "a file beside the settings, without its last line ending": ("a: ${file:pw}", {"a": "s3cret"}),
    "a file elsewhere, with its inner line endings": ("a: ${file:/run/pw}", {"a": "two\nlines"}),
    "a part of a value stays": ("a: x${env:NAME}", {"a": "x${env:NAME}"}),
    "two references stay": ('a: "${env:A}${env:B}"', {"a": "${env:A}${env:B}"}),
    "a key stays": ('"${env:NAME}": x', {"${env:NAME}": "x"}),
}


@pytest.mark.parametrize(("text", "value"), REPLACED.values(), ids=REPLACED)
def test_replaced(text: str, value: object) -> None:
    assert read(text) == value


def test_replaced_deep_inside_and_read_by_the_declared_type() -> None:
    assert read("a: [{b: '${env:NUMBER}'}]", Mapping[str, tuple[Mapping[str, int], ...]]) == {"a": ({"b": 5},)}


PROBLEMS = {
    "a variable that is not set": (
        "a: ${env:OTHER}",
        "etc/x.yaml:1:4: ${env:OTHER}: the environment variable OTHER is not set",
    ),
    "a file that is not there": ("a: ${file:no}", "etc/x.yaml:1:4: ${file:no}: No such file or directory"),
    "another kind": ("a: ${vault:x}", "etc/x.yaml:1:4: ${vault:x}: expected ${env:NAME} or ${file:PATH}"),
    "a shell's way": ("a: ${NAME}", "etc/x.yaml:1:4: ${NAME}: expected ${env:NAME} or ${file:PATH}"),
    "octets that are no text": (
        "a: ${env:RAW}",
        "etc/x.yaml:1:4: ${env:RAW}: what it names holds control characters or is not UTF-8",
    ),
    "a control character": (
        "a: ${env:BELL}",
        "etc/x.yaml:1:4: ${env:BELL}: what it names holds control characters or is not UTF-8",
    ),
}


@pytest.mark.parametrize(("text", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems_are_told_once_and_at_their_place(text: str, message: str) -> None:
    for wanted in (Mapping[str, str], Mapping[str, int]):
        with pytest.raises(ConfigurationError) as caught:
            read(text, wanted)
        assert str(caught.value) == message


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read("a: ${file:pw}", Mapping[str, int])
    assert str(caught.value) == 'etc/x.yaml:1:4: a must be a whole number such as 50, not "${file:pw}"'
