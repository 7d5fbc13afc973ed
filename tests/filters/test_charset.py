"""The filter `charset`: each case is a mail and what is found in it; the mail is read by what reads mail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.charset import Charset
from gateway.mail import Client, Envelope, Mail, Part
from gateway.mime.parse import parse
from gateway.reading import File, Reading, Text, Trait, Zone
from gateway.text.hypertext import meta_charset, read_html
from gateway.text.readings import read_text, reread
from gateway.traits import Mark

VIETNAMESE = "Kính gửi đồng chí: thư điện tử công vụ, quyết định bổ nhiệm."
TCVN3 = "KÝnh göi ®ång chÝ: th\xad ®iÖn tö c«ng vô, quyÕt ®Þnh bæ nhiÖm."
VNI = "Kính göûi ñoàng chí: thö ñieän töû coâng vuï, quyeát ñònh boå nhieäm."
VIQR = "Ki'nh gu+?i ddo^`ng chi': thu+ ddie^.n tu+? co^ng vu.."


def mail(raw: bytes, files: tuple[File, ...] = ()) -> Mail:
    root = parse(raw)
    texts = [text for part in root.walk() for text in texts_of(raw, part)]
    subject = root.header("Subject") or ""
    texts += [Text(place="", zone=Zone.SUBJECT, content=each.text, charset=each.charset) for each in reread(subject)]
    return Mail(
        id="1",
        listener="test",
        received=datetime(2026, 9, 1, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("a@example.org"),
        inside=False,
        raw=raw,
        root=root,
        opened=Reading(texts=tuple(texts), files=files),
    )


def texts_of(raw: bytes, part: Part) -> list[Text]:
    if part.children or not part.media_type.startswith("text/"):
        return []
    data, label = raw[part.body.start : part.body.stop], part.parameters.get("charset", "")
    found = []
    for each in read_text(data, label, meta_charset(data) if part.media_type == "text/html" else ""):
        content = read_html(each.text).visible if part.media_type == "text/html" else each.text
        found.append(Text(place=part.label, zone=Zone.BODY, content=content, charset=each.charset))
    return found


def message(body: bytes, charset: str = "utf-8", subtype: str = "plain", subject: bytes = b"x") -> bytes:
    kind = f"text/{subtype}" + (f"; charset={charset}" if charset else "")
    return b"Subject: " + subject + f"\r\nContent-Type: {kind}\r\n\r\n".encode() + body


CASES: dict[str, tuple[bytes, list[str]]] = {
    "Unicode": (message(VIETNAMESE.encode()), []),
    "English": (message(b"Dear all, see you.", "us-ascii"), []),
    "French in its charset": (message("Été à la réunion, très bientôt".encode("latin-1"), "iso-8859-1"), []),
    "TCVN3 by its name": (message(TCVN3.encode("latin-1"), "x-viet-tcvn5712"), ["legacy"]),
    "TCVN3 called ISO 8859-1": (message(TCVN3.encode("latin-1"), "iso-8859-1"), ["legacy", "mislabelled"]),
    "TCVN3 letters in UTF-8": (message(TCVN3.encode()), ["legacy"]),
    "VNI": (message(VNI.encode("latin-1"), "x-viet-vni"), ["legacy"]),
    "VIQR": (message(VIQR.encode(), "us-ascii"), ["legacy"]),
    "an old subject": (message(b"x", subject="quyÕt ®Þnh bæ nhiÖm".encode()), ["legacy"]),
    "half old, half Unicode": (message(f"{VIETNAMESE}\n{TCVN3}".encode()), ["legacy", "mixed"]),
    "UTF-8 called us-ascii": (message(VIETNAMESE.encode(), "us-ascii"), ["mislabelled"]),
    "UTF-8 without a label": (message(VIETNAMESE.encode(), ""), ["mislabelled"]),
    "UTF-8 in capitals": (message(VIETNAMESE.encode(), "UTF8"), []),
    "a font in HTML": (
        message(f'<font face=".VnTime">{TCVN3}</font>'.encode(), subtype="html"),
        ["legacy", "legacy_font"],
    ),
    "a font in a style": (message(b'<p style="font-family: VNI-Times">x</p>', subtype="html"), ["legacy_font"]),
    "another font": (message(b'<p style="font-family: Arial">x</p>', subtype="html"), []),
}


@pytest.mark.parametrize(("raw", "codes"), CASES.values(), ids=CASES)
def test_charset(raw: bytes, codes: list[str]) -> None:
    assert sorted({each.code for each in Charset().inspect(mail(raw))}) == sorted(codes)


def test_what_is_told() -> None:
    raw = message(TCVN3.encode("latin-1"), "iso-8859-1")
    legacy, mislabelled = Charset().inspect(mail(raw))
    assert legacy.facts() == {"encoding": "tcvn3", "zone": "body", "part": "", "confidence": 1.0}
    assert legacy.evidence[0].excerpt.startswith("Kính gửi đồng chí")
    assert mislabelled.facts() == {"declared": "iso-8859-1", "used": "tcvn3", "part": ""}


def test_fonts_of_documents() -> None:
    file = File(place="2", names=("a.docx",), kind="docx", traits=(Trait(word=Mark.LEGACY_FONT, detail=".VnTime"),))
    assert [each.facts() for each in Charset().inspect(mail(message(b"x"), (file,)))] == [
        {"font": ".VnTime", "part": "2"}
    ]


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        Charset(least_confidence=2)


@given(st.binary(max_size=100), st.sampled_from(["utf-8", "iso-8859-1", "viscii", "", "x"]))
def test_any_bytes(body: bytes, charset: str) -> None:
    list(Charset(least_confidence=0).inspect(mail(message(body, charset, "html"))))
