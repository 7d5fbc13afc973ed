"""Secrets kept out of the settings file: `${env:NAME}` or `${file:PATH}` as a whole value stands for what it names.

Messages go on showing what the file says, so that no secret reaches a log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from gateway.errors import Problem
from gateway.schema.nodes import BrokenNode, Document, ListNode, MapNode, Node, ScalarNode

_REFERENCE = re.compile(r"\$\{(?:(env|file):([^{}]+)|[^{}]*)\}")
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # surrogates stand for what was not UTF-8


def with_secrets(document: Document, environment: Mapping[str, str], read_file: Callable[[Path], str]) -> Document:
    """The document with its references replaced. Pure but for `read_file`, which may raise OSError or ValueError.

    A relative PATH is taken from the folder of the document; a line ending at the end of a file does not count. What
    cannot be replaced is a problem of the new document at the place of the reference.
    """
    problems: list[Problem] = []

    def value_of(kind: str, name: str) -> str:
        if kind == "env":
            if name not in environment:
                raise ValueError(f"the environment variable {name} is not set")
            return environment[name]
        if kind == "file":
            return read_file(Path(document.path).parent / name).rstrip("\r\n")
        raise ValueError("expected ${env:NAME} or ${file:PATH}")

    def scalar(node: ScalarNode) -> Node:
        reference = _REFERENCE.fullmatch(node.text)
        if not reference:
            return node
        try:
            secret = value_of(reference[1] or "", reference[2] or "")
            if _UNWANTED.search(secret):
                raise ValueError("what it names holds control characters or is not UTF-8")
        except OSError as error:
            problems.append(Problem(document.path, node.line, node.column, f"{node.text}: {error.strerror or error}"))
        except ValueError as error:
            problems.append(Problem(document.path, node.line, node.column, f"{node.text}: {error}"))
        else:
            return replace(node, text=secret, quoted=True)
        return BrokenNode(line=node.line, column=node.column, place=node.place)

    def node_with_secrets(node: Node) -> Node:
        match node:
            case ScalarNode():
                return scalar(node)
            case ListNode(items=items):
                return replace(node, items=tuple(map(node_with_secrets, items)))
            case MapNode(entries=entries):
                return replace(node, entries=tuple((key, node_with_secrets(value)) for key, value in entries))
            case _:
                return node

    root = node_with_secrets(document.root)
    return replace(document, root=root, problems=(*document.problems, *problems))
