"""`mailwarden lexicon`: hits are shown in place, also those below the threshold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main

ROOT = Path(__file__).parents[2]


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["lexicon", *words])
    return result.exit_code, result.output


def test_a_text_is_shown_with_its_hits_in_place() -> None:
    code, told = run("test", "Nạp 100k tặng 300k, tài xỉu nổ hũ", "--json")
    [found] = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert code == 0
    assert (found["category"], found["strength"]) == ("gambling", "strong")
    assert "tài xỉu" in found["terms"]
    assert "tài xỉu" in found["evidence"][1]["excerpt"]


def test_what_reporting_took_away_is_told() -> None:
    told = run("test", "Công an khởi tố 12 bị can đánh bạc, cá độ bóng đá")[1]
    assert "below the threshold" in told
    assert "reporting -" in told


FILES = {
    "a letter": ("a.eml", b"Subject: x\r\n\r\ntai xiu no hu, nap 100k tang 300k\r\n"),
    "a text": ("a.txt", "tài xỉu nổ hũ, nạp 100k tặng 300k".encode()),
    "a page": ("a.html", "<p>tài xỉu nổ hũ, nạp 100k tặng 300k</p>".encode()),
}


@pytest.mark.parametrize(("name", "content"), FILES.values(), ids=FILES)
def test_files_are_read(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert "gambling" in run("test", str(tmp_path / name))[1]


def test_a_harmless_text_shows_nothing() -> None:
    assert "nothing" in run("test", "Họp giao ban lúc 8 giờ")[1]


def test_the_policy_says_what_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\nfilters: {content: {categories: [drugs]}}\n")
    assert "gambling" not in run("test", "-p", str(tmp_path / "p.yaml"), "tài xỉu nổ hũ")[1]


def test_suggest_reads_the_trail(tmp_path: Path) -> None:
    settings = tmp_path / "gateway.yaml"
    settings.write_text(
        "listeners: [{name: in, smtp: '127.0.0.1:0', upstream: 'smtp://127.0.0.1:9'}]\n"
        f"policy: {ROOT / 'policies' / 'packs' / 'prohibited-content.yaml'}\nstate: {tmp_path}\n"
    )
    assert run("suggest", "-c", str(settings))[0] in (0, 69)
