"""gateway.yaml: the files of tests/settings, each right or wrong in one way, and what surrounds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.config import Settings, load_settings, read_settings
from gateway.endpoint import HostPort, Upstream, UpstreamKind
from gateway.errors import ConfigurationError
from gateway.limits import Limits
from gateway.schema.docs import field_docs
from gateway.schema.jsonschema import schema_of
from gateway.schema.nodes import TEXT_LIMIT, ListNode, MapNode, Node, ScalarNode, compose
from gateway.schema.reference import reference
from gateway.schema.shapes import Record, shape_of

FOLDER = Path(__file__).parent / "settings"
OK = sorted((FOLDER / "ok").glob("*.yaml"))
ERR = sorted((FOLDER / "err").glob("*.yaml"))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILWARDEN_POLICY", "policies/default.yaml")
    monkeypatch.delenv("MAILWARDEN_UNSET", raising=False)


@pytest.mark.parametrize("path", OK, ids=lambda path: path.stem)
def test_right(path: Path) -> None:
    assert isinstance(load_settings(path), Settings)


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_wrong(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(Path(path.name))
    assert str(caught.value) + "\n" == path.with_suffix(".out").read_text("utf-8")


def test_the_shortest_settings_have_sane_defaults() -> None:
    settings = load_settings(FOLDER / "ok" / "contract.yaml")
    inbound, milter = settings.listeners
    assert (inbound.name, inbound.smtp) == ("inbound", HostPort("127.0.0.1", 10025))
    assert inbound.upstream == Upstream(UpstreamKind.SMTP, HostPort("127.0.0.1", 10026))
    assert (milter.name, milter.milter, milter.upstream) == ("milter", HostPort("127.0.0.1", 10027), None)
    assert (inbound.direction, inbound.account, inbound.line_endings) == ("by-organisation", "xclient", "refuse")
    assert inbound.trusted == ()  # XCLIENT and its kin are believed from listed peers only
    assert not inbound.tls_required
    assert settings.metrics == HostPort("127.0.0.1", 9108)
    assert settings.policy == FOLDER / "ok" / "policies" / "default.yaml"
    assert settings.state == FOLDER / "ok" / "state"
    assert settings.limits == Limits()
    assert (settings.deadline, settings.drain, settings.help_url) == (60, 30, "")
    assert (settings.log.level, settings.log.format) == ("info", "json")


def test_everything_can_be_set() -> None:
    settings = load_settings(FOLDER / "ok" / "everything.yaml")
    default = Limits()
    same = [name for name in Limits.__slots__ if getattr(settings.limits, name) == getattr(default, name)]
    assert same == []
    inbound = settings.listeners[0]
    assert inbound.tls_required
    assert inbound.upstream_ca == FOLDER / "ok" / "tls" / "authorities.pem"


def test_secrets_come_from_the_environment_and_from_files() -> None:
    settings = load_settings(FOLDER / "ok" / "secrets.yaml")
    assert settings.listeners[0].login == "relay@example.org"
    assert settings.policy == FOLDER / "ok" / "policies" / "default.yaml"


UNREADABLE = {
    "a file that is not there": ("none.yaml", None, "cannot be read: No such file or directory"),
    "a file that is too big": ("big.yaml", b"#" * (TEXT_LIMIT + 1), "the file is bigger than 2 MB"),
    "a big file of one list": ("list.yaml", b"a: [" + b"x," * 900_000 + b"]", "more than 200,000 values in one file"),
    "a file that is a photograph": ("photo.yaml", b"\xff\xd8\xff\xe0\0\x10JFIF", "byte 0xff is not UTF-8"),
}


@pytest.mark.parametrize(("name", "content", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path)
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [(str(path), message)]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_settings(tmp_path)


SECRETS = {
    "too big": (b"x" * 65_537, "the file is bigger than 65536 octets"),
    "not UTF-8": (b"\xff", "the file is not UTF-8"),
}


@pytest.mark.parametrize(("content", "message"), SECRETS.values(), ids=SECRETS)
def test_a_secret_file_that_is_none(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "pw").write_bytes(content)
    (tmp_path / "gateway.yaml").write_text("help_url: ${file:pw}\nlisteners: []\npolicy: p\nstate: s\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(tmp_path / "gateway.yaml")
    assert [problem.message for problem in caught.value.problems] == [f"${{file:pw}}: {message}"]


def settings_from(text: str) -> Settings:
    return read_settings(text, "gateway.yaml", {}, lambda path: "")


@st.composite
def changed_settings(draw: st.DrawFn) -> str:
    """The text of a right file with one piece of it replaced."""
    text = draw(st.sampled_from([path.read_text("utf-8") for path in OK]))
    start = draw(st.integers(0, len(text)))
    stop = draw(st.integers(start, min(start + 20, len(text))))
    return text[:start] + draw(st.text(max_size=10) | st.text("[]{}:,-&*!'\"#| \n0123456789")) + text[stop:]


@given(changed_settings() | st.text())
def test_any_text_gives_settings_or_problems(text: str) -> None:
    try:
        settings = settings_from(text)
    except ConfigurationError:
        return
    assert settings.listeners


def editors_value(node: Node) -> Any:
    """The value as an editor sees it, which goes by YAML 1.2's core schema."""
    match node:
        case ListNode(items=items):
            return [editors_value(item) for item in items]
        case MapNode(entries=entries):
            return {key.text: editors_value(value) for key, value in entries}
        case ScalarNode(text=text, quoted=False) if text in ("", "~", "null"):
            return None
        case ScalarNode(text=text, quoted=False) if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case ScalarNode(text=text, quoted=False) if text.isdigit():
            return int(text)
        case ScalarNode(text=text):
            return text
    return None


SCHEMA = Draft202012Validator(schema_of(Settings))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)


@pytest.mark.parametrize("path", OK, ids=lambda path: path.stem)
def test_the_schema_takes_what_is_right(path: Path) -> None:
    value = editors_value(compose(path.read_text("utf-8"), path.name).root)
    assert [error.message for error in SCHEMA.iter_errors(value)] == []


def test_the_schema_refuses_what_is_plainly_wrong() -> None:
    names = ["unknown-key", "missing-keys", "bad-direction", "bad-duration", "bad-number", "listeners-a-mapping"]
    for name in names:
        text = (FOLDER / "err" / f"{name}.yaml").read_text("utf-8")
        assert not SCHEMA.is_valid(editors_value(compose(text, name).root)), name


def test_every_key_is_documented() -> None:
    keys = [item for definition in SCHEMA.schema["$defs"].values() for item in definition["properties"].items()]
    assert [key for key, value in keys if not value.get("description")] == []
    record = shape_of(Settings)
    assert isinstance(record, Record)
    assert set(field_docs(Settings)) == {key.name for key in record.keys.values()}
    assert "| `deadline` |" in reference(Settings)
