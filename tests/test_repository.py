"""The repository checks itself: so that review is about thought."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from importlib import import_module
from inspect import isasyncgenfunction
from pathlib import Path

import pytest

from gateway.policy.catalogue import find_filters

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
SOURCES = sorted([*ROOT.glob("gateway/**/*.py"), *ROOT.glob("filters/*.py")])
SIX_FILES = (
    "gateway/smtp/session.py",
    "gateway/mail.py",
    "gateway/pipeline.py",
    "filters/attachments.py",
    "gateway/decide.py",
    "gateway/dispose.py",
)
LONGEST = 400
"""Lines of a module: what a person reads in one sitting."""

DISPATCHED = frozenset(
    {"connection_made", "data_received", "eof_received", "connection_lost", "pause_writing", "resume_writing"}
    | {"do_GET", "from_node", "json_schema", "matches", "test", "narrow", "scope", "leaves", "needs_content"}
)
"""What asyncio, http.server, the reader's types (`schema/reader.py`) and the conditions (`policy/logic.py`) declare."""

TOOLS = {
    "ruff": ("ruff", "check", "--quiet", "."),
    "mypy": ("mypy",),
    "import-linter": ("lint-imports", "--no-cache"),
}


@pytest.mark.parametrize("command", TOOLS.values(), ids=TOOLS)
def test_tool_has_nothing_to_say(command: tuple[str, ...]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LONGEST
    assert ast.get_docstring(ast.parse(text)) or not text.strip()


def public(tree: ast.AST, path: Path) -> list[str]:
    """Public classes and functions without a docstring, at the top and in classes."""
    missing = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            if not ast.get_docstring(node) and not is_dispatch(node):
                missing.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
            if isinstance(node, ast.ClassDef):
                missing += public(node, path)
    return missing


def is_dispatch(node: ast.AST) -> bool:
    """Methods whose meaning is told where their protocol is declared, which is not here, and overloads."""
    decorators = [ast.unparse(each) for each in getattr(node, "decorator_list", ())]
    return getattr(node, "name", "") in DISPATCHED or "overload" in decorators


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_names_have_docstrings(path: Path) -> None:
    assert public(ast.parse(path.read_text()), path) == []


def test_the_walk_of_six_files_names_the_next_one() -> None:
    for here, after in itertools.pairwise(SIX_FILES):
        opening = ast.get_docstring(ast.parse((ROOT / here).read_text())) or ""
        assert after in opening, f"{here} does not name {after}"


@pytest.mark.parametrize("name", find_filters())
def test_filter_keeps_the_contract(name: str) -> None:
    module = import_module(f"filters.{name}")
    kind = find_filters()[name]
    assert (module.__doc__ or "").startswith(f"{name}: ")
    assert kind.cls.__dataclass_params__.frozen
    tests = (ROOT / "tests" / "filters" / f"test_{name}.py").read_text()
    for code, finding in kind.findings.items():
        assert re.fullmatch("[a-z][a-z0-9_]*", code)
        assert finding.__doc__
        assert code in tests, f"{code} does not appear in the tests of {name}"


def test_a_pure_filter_imports_no_network() -> None:
    for kind in find_filters().values():
        if not isasyncgenfunction(kind.cls.inspect):
            source = Path(import_module(f"filters.{kind.name}").__file__ or "").read_text()
            assert not re.search(r"^\s*(import|from) (socket|asyncio|ssl|http|urllib)\b", source, re.MULTILINE)


def test_the_project_speaks_of_itself_alone() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    words = re.compile(r"pyp[i]\.org|pythonhost[e]d|npmj[s]|deb\.debia[n]|/wor[k]/|sub-?agen[t]|\.librar[y]\b")
    for name in filter(None, listed.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            assert not words.search(path.read_bytes().decode("utf-8", "ignore")), name
