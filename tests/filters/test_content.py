"""The filter `content`: texts of our own for each category, and the lexicons as files an officer edits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from filters._content.hits import is_accented
from filters._content.lexicon import Lexicon, load_lexicons
from filters.content import Content, Prohibited
from gateway.mail import Client, Envelope, Mail
from gateway.mime.parse import parse
from gateway.reading import Reading, Text, Zone
from gateway.schema.reader import load

TEXTS: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_name("content_texts.yaml").read_text(encoding="utf-8")
)
FILTER = Content()


def found(content: str, zone: Zone = Zone.BODY, subject: str = "", **options: Any) -> list[Prohibited]:
    raw = b"Subject: x\r\n\r\nx\r\n"
    texts = (Text(place="1", zone=zone, content=content),)
    if subject:
        texts = (Text(place="", zone=Zone.SUBJECT, content=subject), *texts)
    mail = Mail(
        id="1",
        listener="x",
        received=datetime(2026, 3, 1, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("a@x.gov.vn"),
        inside=True,
        raw=raw,
        root=parse(raw),
        opened=Reading(texts=texts),
    )
    judge = Content(**options) if options else FILTER
    return [one for one in judge.inspect(mail) if isinstance(one, Prohibited)]


@pytest.mark.parametrize(
    ("category", "text"), [(category, text) for category, kinds in TEXTS.items() for text in kinds["found"]]
)
def test_category_is_found(category: str, text: str) -> None:
    assert category in [one.category for one in found(text)]


@pytest.mark.parametrize("text", [text for kinds in TEXTS.values() for text in kinds["passes"]])
def test_look_alike_passes(text: str) -> None:
    assert [(one.category, one.detail) for one in found(text)] == []


def test_report_that_quotes_an_offer_is_damped() -> None:
    offer = "Bán thuốc lắc, kẹo ke, ship toàn quốc, lh zalo."
    report = f"Công an cảnh báo: đối tượng rao \"{offer}\" trên mạng. Cơ quan điều tra khởi tố vụ án, bắt giữ 5 bị can."
    assert found(offer)[0].score > 2 * max((one.score for one in found(report)), default=0)


def test_offer_behind_many_pages_is_found() -> None:
    pages = "Thực hiện kế hoạch công tác, các đơn vị báo cáo kết quả về Sở trước ngày 20 hằng tháng. " * 200
    assert [one.category for one in found(f"{pages}\n{TEXTS['gambling']['found'][0]}")] == ["gambling"]


def test_accented_text_is_not_read_without_its_marks() -> None:
    """"co bac" is "có bác" here."""
    assert found("Hôm nay có bác Ba đến, có bắc nồi cơm, đang bàn số để chia nhà cái.") == []


def test_subject_and_body_are_read_together() -> None:
    assert found("không thế chấp, giải ngân ngay, nợ xấu vẫn vay", subject="Cho vay tiền nhanh")


def test_phrase_across_subject_and_body_is_found_where_it_stands() -> None:
    """Evidence counts from the subject's start; a person reads the one and then the other."""
    texts = TEXTS["gambling"]["found"]
    words = texts[0].split()
    whole = found("\n".join((" ".join(words[:3]), " ".join(words[3:]))))
    parted = found(" ".join(words[3:]), subject=" ".join(words[:3]))
    assert [(one.category, one.score, one.evidence) for one in parted] == [
        (one.category, one.score, one.evidence) for one in whole
    ]


def test_attachment_is_read() -> None:
    [one] = found(TEXTS["forged-papers"]["found"][0], Zone.ATTACHMENT)
    assert (one.code, one.zone) == ("prohibited", "attachment")


def test_evidence_shows_the_place() -> None:
    text = "Kính gửi anh chị. Nạp lần đầu 200k nhận ngay 200k, chơi baccarat và xóc đĩa, rút tiền nhanh."
    [one] = found(text)
    assert all(text[each.offset :].strip() for each in one.evidence)
    assert "nạp" in one.detail


def test_categories_may_be_chosen() -> None:
    assert found(TEXTS["drugs"]["found"][0], categories=frozenset({"gambling"})) == []


def test_unknown_category_is_a_problem_of_the_policy() -> None:
    with pytest.raises(ValueError, match="there is no lexicon for weather"):
        Content(categories=frozenset({"weather"}))


def test_own_lexicons_stand_in_for_ours(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "category: own\ntitle: Own\nflag: 1\ngroups: [{name: words, phrases: [cá kho tộ]}]\n", encoding="utf-8"
    )
    [one] = found("Trưa nay có cá kho tộ", lexicons=tmp_path)
    assert (one.category, one.score, one.phrases) == ("own", 1.0, 1)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("title: x\ngroups: [{name: a, phrases: [b]}]", "category"),
        ("category: x\ntitle: x\ngroups: [{name: a, phrases: []}]", "group a has no phrase"),
        ("category: x\ntitle: x\ngroups: [{name: a, phrases: [b], near: [c]}]", "group a is to stand near c"),
        ("category: x\ntitle: x\ngroups: [{name: a, phrases: [b], weigth: 2}]", "did you mean .weight"),
        ("category: x\ntitle: x\ngroups: [{name: a, phrases: [b]}, {name: a, phrases: [c]}]", "the same name"),
    ],
)
def test_broken_lexicon_is_told_with_its_place(tmp_path: Path, written: str, problem: str) -> None:
    (tmp_path / "bad.yaml").write_text(written, encoding="utf-8")
    with pytest.raises(ValueError, match=problem) as caught:
        Content(lexicons=tmp_path)
    assert "bad.yaml:" in str(caught.value)


def test_folder_without_lexicons_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no lexicon"):
        Content(lexicons=tmp_path)


def test_every_lexicon_cites_a_clause() -> None:
    lexicons, _ = load_lexicons(None)
    assert all(one.clause for one in lexicons)
    assert {one.category for one in lexicons} == set(TEXTS)


def test_group_counts_near_another_only_and_not_near_some_words() -> None:
    text = (
        "category: x\ntitle: x\nflag: 1\ngroups:\n- {name: things, weight: 0.1, phrases: [pháo]}\n"
        "- {name: selling, weight: 2, phrases: [bán], near: [things], within: 4, unless_near: [cấm]}\n"
    )
    assert load(text, "x.yaml", Lexicon).groups[1].unless_near == ("cấm",)


@pytest.mark.parametrize(
    ("text", "accented"),
    [("Kính gửi các đồng chí", True), ("Kinh gui cac dong chi", False), ("Dear all, Mr Nguyễn will come", False)],
)
def test_accented_text_is_known(text: str, accented: bool) -> None:
    assert is_accented(text.lower()) is accented


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from("tài xỉu nổhũbánlđéo.0123 \n*"), max_size=400))
def test_nothing_raises(content: str) -> None:
    for one in found(content):
        assert one.score > 0
