"""Sign-up mail: each kind by what it does and says, whose it is, and the letters of work that only look like it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._signup.codes import code_alone, code_near, hidden
from filters._signup.lexicon import LANGUAGES, Lexicon, load_lexicon
from filters._signup.links import masked, target
from filters._signup.model import KINDS, Model, load_model
from filters._signup.sender import authenticated
from filters.signup import Signup, SignupMail
from gateway.extract.message import contents
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import Link, Reading, Text
from gateway.text.folding import plain
from gateway.verdict import Finding

sys.path.append(str(Path(__file__).parents[2] / "deploy" / "model"))
from signup_letters import RECIPIENT, Letter, letters

HERE = Path(__file__).parent
TOKEN = "8f2c9Ab31dXq77Tz"
SIGNUP = Signup()
OURS = frozenset({"example.gov.vn"})


def mail(raw: bytes, *, recipients: tuple[str, ...] = (RECIPIENT,), inside: bool = False) -> Mail:
    root = parse(raw)
    found = list(contents(raw, root))
    reading = Reading(
        texts=tuple(one for one in found if isinstance(one, Text)),
        links=tuple(one for one in found if isinstance(one, Link)),
    )
    return Mail(
        id="test",
        listener="test",
        received=datetime(2026, 11, 24, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("sender@example.net", tuple(Recipient(address) for address in recipients)),
        inside=inside,
        domains=OURS,
        raw=raw,
        root=root,
        opened=reading,
    )


def written(sender: str, subject: str, text: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, RECIPIENT, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def found(raw: bytes, signup: Signup = SIGNUP) -> list[Finding]:
    return list(signup.inspect(mail(raw)))


def the_one(raw: bytes, signup: Signup = SIGNUP) -> SignupMail:
    [finding] = found(raw, signup)
    assert isinstance(finding, SignupMail)
    return finding


SHOP = "Shop Hoa <no-reply@shophoa.vn>"

KINDS_SHOWN = {
    "a link to confirm an address": (
        written(SHOP, "Xác nhận email", f"Vui lòng xác nhận địa chỉ email: https://shophoa.vn/verify?token={TOKEN}"),
        ("verification", "T1", "vi"),
    ),
    "a new account": (
        written(SHOP, "Chào mừng bạn đến với Shop Hoa", "Cảm ơn bạn đã đăng ký. Tài khoản của bạn đã được tạo."),
        ("welcome", "T1", "vi"),
    ),
    "a code that may be for a registration": (
        written(SHOP, "Mã xác thực", "Mã xác thực của bạn là 482913. Mã hết hạn sau 5 phút."),
        ("one_time_code", "T1", "vi"),
    ),
    "a code to sign in": (
        written("Hub <a@hub.io>", "Your login code", "To sign in to your account, enter the login code: 482913"),
        ("one_time_code", "T3", "en"),
    ),
    "a forgotten password": (
        written(SHOP, "Đặt lại mật khẩu", f"Nhấn vào đây để đặt lại mật khẩu: https://shophoa.vn/reset?token={TOKEN}"),
        ("password_reset", "T3", "vi"),
    ),
    "a sign-in from elsewhere": (
        written(SHOP, "Cảnh báo đăng nhập", "Phát hiện đăng nhập từ thiết bị mới. Nếu không phải bạn, đổi mật khẩu."),
        ("security_notice", "T3", "vi"),
    ),
    "somebody asks to join": (
        written("Hub <no-reply@hub.io>", "Minh invited you to Alpha", f"Join: https://hub.io/invite/{TOKEN}"),
        ("invitation", "T2", "en"),
    ),
    "a double opt-in": (
        written(SHOP, "Xác nhận đăng ký nhận bản tin", f"Nhấn để xác nhận đăng ký: https://shophoa.vn/confirm/{TOKEN}"),
        ("newsletter_confirmation", "T1", "vi"),
    ),
    "a newsletter": (
        written(
            SHOP,
            "[QC] Giảm giá 50%",
            "Ưu đãi cuối tuần. Mua ngay! Hủy đăng ký nhận tin.",
            List_Unsubscribe="<https://shophoa.vn/u>",
        ),
        ("newsletter", "T2", "vi"),
    ),
    "an order": (
        written(SHOP, "Xác nhận đơn hàng 123", "Đơn hàng của bạn đang được giao. https://shophoa.vn/order/123"),
        ("account_activity", "T2", "vi"),
    ),
}


@pytest.mark.parametrize(("raw", "expected"), KINDS_SHOWN.values(), ids=KINDS_SHOWN)
def test_kind_tier_and_language(raw: bytes, expected: tuple[str, str, str]) -> None:
    finding = the_one(raw)
    assert (finding.code, finding.tier, finding.language) == expected


VERIFY = f"Vui lòng xác minh địa chỉ email của bạn: https://x.vn/verify?token={TOKEN}"

WHO = {
    "a service of the catalogue": ("Shopee <no-reply@mail.shopee.vn>", ("shopee", True, "commerce")),
    "a subdomain of its own": ("TikTok <a@x.account.tiktok.com>", ("tiktok", True, "social")),
    "not a name that only ends alike": ("X <a@nottiktok.com>", ("nottiktok.com", False, "unknown")),
    "not a name with the brand in front": ("X <a@tiktok.com.evil.example>", ("evil.example", False, "unknown")),
    "a name that moves every week": ("KU <a@kuwin88.net>", ("gambling-rotating", True, "gambling")),
    "an unknown one, by what was registered": ("Diễn đàn Xe <a@mail.xeco.com.vn>", ("xeco.com.vn", False, "forum")),
}


@pytest.mark.parametrize(("sender", "expected"), WHO.values(), ids=WHO)
def test_whose_it_is(sender: str, expected: tuple[str, bool, str]) -> None:
    finding = the_one(written(sender, "Xác minh email", VERIFY))
    assert (finding.service, finding.known, finding.category) == expected


NOBODYS = {
    "a portal of the State": "Cổng DVC <no-reply@dichvucong.gov.vn>",
    "the Government's own domain": "Cổng TTĐT <no-reply@chinhphu.vn>",
    "the organisation itself": "Học tập <no-reply@hoctap.example.gov.vn>",
}


@pytest.mark.parametrize("sender", NOBODYS.values(), ids=NOBODYS)
def test_mail_of_official_bodies_is_none(sender: str) -> None:
    assert found(written(sender, "Xác minh email", VERIFY)) == []


def test_what_an_option_calls_official_is_none() -> None:
    raw = written("Hệ thống <no-reply@contractor.vn>", "Xác minh email", VERIFY)
    assert found(raw, Signup(official=frozenset({"contractor.vn"}))) == []


AUTHENTICATED = {
    "nobody checked": ("", "", "unknown"),
    "a field of a stranger is not believed": ("mx.evil.example; dmarc=pass", "mx.example.gov.vn", "unknown"),
    "without a name of ours none is": ("mx.example.gov.vn; dmarc=pass", "", "unknown"),
    "DMARC passed": ("mx.example.gov.vn; dmarc=pass header.from=shopee.vn", "mx.example.gov.vn", "pass"),
    "DMARC failed": ("mx.example.gov.vn; dmarc=fail header.from=shopee.vn", "mx.example.gov.vn", "fail"),
    "an aligned signature": ("mx.example.gov.vn; dkim=pass header.d=shopee.vn", "mx.example.gov.vn", "pass"),
    "a signature of another": ("mx.example.gov.vn; dkim=pass header.d=evil.example", "mx.example.gov.vn", "fail"),
    "SPF for its own bounces": ("mx.example.gov.vn; spf=pass smtp.mailfrom=b@m.shopee.vn", "mx.example.gov.vn", "pass"),
}


@pytest.mark.parametrize(("field", "authserv", "expected"), AUTHENTICATED.values(), ids=AUTHENTICATED)
def test_authentication_is_read_from_our_own_server_only(field: str, authserv: str, expected: str) -> None:
    headers = {"Authentication_Results": field} if field else {}
    root = parse(written("Shopee <a@mail.shopee.vn>", "x", "x", **headers))
    assert authenticated(root, "mail.shopee.vn", authserv) == expected


def test_a_brand_that_is_forged_is_not_that_service_nor_an_official_body() -> None:
    signup = Signup(authserv="mx.example.gov.vn")
    fields = {"Authentication_Results": "mx.example.gov.vn; dmarc=fail"}
    finding = the_one(written("Shopee <a@shopee.vn>", "Xác minh email", VERIFY, **fields), signup)
    assert (finding.service, finding.known, finding.authenticated) == ("shopee.vn", False, "fail")
    assert found(written("DVC <a@dichvucong.gov.vn>", "Xác minh email", VERIFY, **fields), signup) != []


def test_a_signature_names_a_service_that_sends_in_another_name() -> None:
    signed = {"DKIM_Signature": "v=1; a=rsa-sha256; d=shopee.vn; s=x; b=x"}
    assert the_one(written("Khuyến mãi <a@news-sp.example>", "Xác minh email", VERIFY, **signed)).service == "shopee"


def test_a_platforms_signature_says_nothing() -> None:
    signed = {"DKIM_Signature": "v=1; a=rsa-sha256; d=sendgrid.net; s=x; b=x"}
    assert not the_one(written("Shop <a@shopxinh.example>", "Xác minh email", VERIFY, **signed)).known


def _letters() -> Iterator[pytest.param]:  # type: ignore[valid-type]
    for letter in letters(HERE / "signup_letters"):
        yield pytest.param(letter, id=f"{letter.name}-{letter.subject}")


UNSETTLED = frozenset({"services_later:31"})
"""Letters whose kind is a matter of taste: a first password by the link for a forgotten one."""


@pytest.mark.parametrize("letter", list(_letters()))
def test_letters_that_no_weight_was_fitted_to(letter: Letter) -> None:
    codes = [finding.code for finding in found(letter.mail())]
    assert len(codes) == bool(letter.kind), codes
    assert letter.name in UNSETTLED or codes == [letter.kind][: len(codes)]


DISGUISES = {
    "without tones": "Vui long xac minh dia chi email cua ban",
    "decomposed": "Vui lòng xác minh địa chỉ email của bạn",
    "zero-width characters": "Vui lòng xác\u200b minh đ\u200bịa chỉ em\u200bail của bạn",
    "letters of another alphabet": "Vui lòng хác minh địа chỉ еmаil của bạn",
    "capitals": "VUI LÒNG XÁC MINH ĐỊA CHỈ EMAIL CỦA BẠN",
}


@pytest.mark.parametrize("text", DISGUISES.values(), ids=DISGUISES)
def test_disguises_change_nothing(text: str) -> None:
    finding = the_one(written(SHOP, text, f"{text}: https://shophoa.vn/verify?token={TOKEN}"))
    assert finding.code == "verification"


def test_a_mail_that_is_passed_on_as_a_file_is_not_its_content() -> None:
    inner = EmailMessage()
    inner["From"], inner["Subject"] = SHOP, "Xác minh email"
    inner.set_content(VERIFY)
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = "Nam <nam@doi-tac.example>", RECIPIENT, "Thư lạ"
    outer.set_content("Anh xem giúp em thư này.")
    outer.add_attachment(inner)
    assert found(outer.as_bytes()) == []


REQUESTS = {
    "an address that subscribes": ("dev-subscribe@lists.example.org", "x", "address"),
    "an address that joins": ("dev-join@lists.example.org", "x", "address"),
    "a command to a program": ("majordomo@lists.example.org", "subscribe dev", "command"),
    "a command to a list's -request": ("dev-request@lists.example.org", "subscribe", "command"),
    "a token that confirms": ("dev-confirm+8f2c9ab31d@lists.example.org", "x", "confirmation"),
    "a confirmation answered": ("dev-request@lists.example.org", "confirm 8f2c9ab31d", "confirmation"),
    "leaving is no request": ("dev-unsubscribe@lists.example.org", "x", ""),
    "a command to leave is none": ("majordomo@lists.example.org", "unsubscribe dev", ""),
    "a question to a list is none": ("dev@lists.example.org", "How do I subscribe?", ""),
    "a colleague is no list": ("join.nguyen@example.gov.vn", "subscribe", ""),
}


@pytest.mark.parametrize(("address", "text", "by"), REQUESTS.values(), ids=REQUESTS)
def test_subscription_request(address: str, text: str, by: str) -> None:
    raw = written("An <an@example.gov.vn>", "x", text)
    findings = list(SIGNUP.inspect(mail(raw, recipients=(address,), inside=True)))
    assert [(each.code, each.by) for each in findings] == ([("subscription_request", by)] if by else [])  # type: ignore[attr-defined]


def test_mail_from_inside_is_not_asked_for_anything_else() -> None:
    assert list(SIGNUP.inspect(mail(written(SHOP, "Xác minh email", VERIFY), inside=True))) == []


SECRETS = ("482913", TOKEN, "731904")


def test_no_code_and_no_whole_link_is_kept() -> None:
    text = f"Mã xác minh: 482913\nhoặc xác nhận email: https://shophoa.vn/verify/{TOKEN}?c=731904"
    finding = the_one(written(SHOP, "482913 là mã xác minh của bạn", text))
    kept = f"{finding.facts()} {finding.detail} {finding.evidence}"
    assert [secret for secret in SECRETS if secret in kept] == []
    assert "••••" in kept


def test_the_detail_tells_what_spoke_and_fits_a_screen() -> None:
    finding = the_one(written(SHOP, "Xác minh email", VERIFY))
    lines = finding.detail.splitlines()
    assert lines[0].startswith("verification at 0.")
    assert any("an address or account is to be confirmed" in line for line in lines)
    assert len(lines) <= 15
    assert all(re.match(r" +[+-]\d+\.\d\d  ", line) for line in lines[1:])


CODES = {
    "behind its name": ("Mã xác minh: 482913", True),
    "in front of it": ("482913 is your code", True),
    "in groups": ("your code 482-913", True),
    "letters and digits": ("your code X7K2P9", True),
    "a year is none": ("your code, in 2026", False),
    "a sum is none": ("your code costs 150000 đồng", False),
    "a document's number is none": ("your code 1234/UBND", False),
    "a hotline is none": ("your code, hotline 19001234", False),
    "a day is none": ("your code 24/11/2026", False),
}


@pytest.mark.parametrize(("text", "there"), CODES.values(), ids=CODES)
def test_code_near_its_name(text: str, there: bool) -> None:
    at = text.lower().find("mã xác minh") if "mã" in text.lower() else text.find("code")
    assert (code_near(text, at, at + 4 if text[at] == "c" else at + 11) is not None) is there


def test_code_on_a_line_of_its_own() -> None:
    assert code_alone("Nhập mã:\n\n482 913\n\nTrân trọng") is not None
    assert code_alone("Kính gửi\n2026\nTrân trọng") is None


TARGETS = {
    "a query with a token": (f"https://a.vn/verify?token={TOKEN}", ("a.vn", "verify", True)),
    "a path with one": (f"https://a.vn/password/reset/{TOKEN}", ("a.vn", "reset", True)),
    "a fragment with one": (f"https://a.vn/#/sign-up/{TOKEN}", ("a.vn", "register", True)),
    "Vietnamese words": (f"https://a.vn/kich-hoat/{TOKEN}", ("a.vn", "verify", True)),
    "a title is no token": ("https://a.vn/tin/gia-xang-giam-manh-tu-hom-nay", ("a.vn", "", False)),
    "a user in front of the host": ("https://shopee.vn@evil.example/verify", ("evil.example", "verify", False)),
    "no web link": ("mailto:a@a.vn", None),
}


@pytest.mark.parametrize(("url", "expected"), TARGETS.values(), ids=TARGETS)
def test_target(url: str, expected: tuple[str, str, bool] | None) -> None:
    parted = target(url)
    assert (parted and (parted.host, parted.action, parted.token)) == expected


@given(st.text(max_size=200))
def test_what_is_shown_has_no_long_number_or_token(text: str) -> None:
    assert not re.search(r"(?<!\w)\d{6,}(?!\w)", hidden(f"{text} 482913 {text}"))
    assert TOKEN not in masked(f"https://a.vn/{TOKEN}/{TOKEN}?{TOKEN}")


def test_the_lexicon_finds_phrases_with_words_between_in_one_sentence() -> None:
    lexicon = Lexicon("= V\nen: verify | confirm\n* ask: x\nany: @V . account\n* far: y\nen: thanks .. registered\n")
    assert set(lexicon.search("please verify your new account").concepts) == {"ask"}
    assert set(lexicon.search("we verify. an account of it").concepts) == set()
    assert set(lexicon.search("thanks, dear reader, you are now registered").concepts) == {"far"}
    assert set(lexicon.search("unverify accountant").concepts) == set()


def test_a_line_of_the_lexicon_without_a_language_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="lexicon line 2"):
        Lexicon("* ask: x\nxx: verify\n")


def test_every_language_knows_every_question() -> None:
    lexicon = load_lexicon()
    samples = {
        "vi": "xác minh địa chỉ email",
        "en": "verify your email",
        "fr": "confirmez votre adresse e-mail",
        "de": "bestätige deine e-mail-adresse",
        "es": "confirma tu correo electrónico",
        "ru": "подтвердите адрес электронной почты",
        "zh": "请验证邮箱",
        "ja": "メールアドレスの確認",
        "ko": "이메일 인증",
    }
    assert set(samples) == set(LANGUAGES)
    assert [each for each, text in samples.items() if "verify" not in lexicon.search(plain(text).text).concepts] == []


def test_the_weights_are_a_table_of_known_kinds() -> None:
    model = load_model()
    assert len(model.bias) == len(KINDS)
    assert all(len(row) == len(KINDS) for row in model.weights.values())


def test_a_kind_of_which_the_mail_does_not_speak_counts_for_nothing() -> None:
    model = Model((0.0,) * len(KINDS), {"link:verify": (9.0, *(0.0,) * (len(KINDS) - 1))})
    assert model.judge({"link:verify": 1.0}).confidence < 0.01
    assert model.judge({"link:verify": 1.0, "body:verify": 1.0}).confidence > 0.99


def test_a_catalogue_of_ones_own_adds_to_the_shipped_one(tmp_path: Path) -> None:
    ours = tmp_path / "ours.yaml"
    ours.write_text("version: 1\nservices:\n  xeco: {name: Xe Cổ, category: forum, from: [{domain: xeco.com.vn}]}\n")
    finding = the_one(written("Xe Cổ <a@mail.xeco.com.vn>", "Xác minh email", VERIFY), Signup(more_services=(ours,)))
    assert (finding.service, finding.category) == ("xeco", "forum")


WRONG = {
    "a kind that there is not": ("services: {x: {name: X, category: gamess}}", "category"),
    "a key that there is not": ("services: {x: {name: X, category: game, frm: []}}", "frm"),
    "no file": (None, "cannot read"),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_catalogue_is_told_with_its_place(tmp_path: Path, text: str | None, told: str) -> None:
    file = tmp_path / "ours.yaml"
    if text is not None:
        file.write_text(f"version: 1\n{text}\n")
    with pytest.raises(ValueError, match=told):
        Signup(more_services=(file,))


def test_the_least_confidence_is_a_share() -> None:
    with pytest.raises(ValueError, match="minimum"):
        Signup(minimum=1.5)


def test_one_mail_is_no_bombing() -> None:
    """What is one is shown by `test_signup_bombing.py`."""
    codes = [finding.code for raw, _ in KINDS_SHOWN.values() for finding in found(raw)]
    assert "bombing" not in codes


def test_what_was_not_opened_is_not_empty() -> None:
    with pytest.raises(LookupError):
        list(SIGNUP.inspect(replace(mail(written(SHOP, "x", "x")), opened=None)))


@given(st.binary(max_size=2000))
def test_strangers_bytes_raise_nothing(raw: bytes) -> None:
    list(SIGNUP.inspect(mail(raw)))
    list(SIGNUP.inspect(mail(raw, recipients=("a-subscribe@b.org", "@", ""), inside=True)))
