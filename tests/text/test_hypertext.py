"""HTML as a person sees it: each case is a piece of HTML and what is seen and not seen of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.hypertext import Field, meta_charset, read_html

SEEN = {
    "paragraphs and breaks": ("<p>a</p><p>b<br>c</p>d", "a\nb\nc\nd"),
    "inline elements part no words": ("V<b>i</b>ệ<i>t</i> N<span>a</span>m", "Việt Nam"),
    "white space": (" a \n\t b\n<b> c</b> ", "a b c"),
    "a table": ("<table><tr><th>a<th>b<tr><td>c</td><td>d</td></tr></table>", "a\tb\nc\td"),
    "a list": ("x<ul><li>a<li>b</ul>y", "x\na\nb\ny"),
    "kept lines": ("<pre>a\nb</pre>", "a\nb"),
    "references": ("&lt;b&gt; &amp; &#7879; &#x1EC7; &nbsp;&eacute &unknown; &#0;", "<b> & ệ ệ \xa0é &unknown; \ufffd"),
    "signs that are no tags": ("1 < 2 <3 a<b", "1 < 2 <3 a<b"),
    "a quotation mark that does not end": ('<a href="x>seen <b>too</b>', "seen too"),
    "declarations": ("<!DOCTYPE html><?xml version='1.0'?><html>a", "a"),
    "script and style": ("a<script>b</script><style>c</style>d", "ad"),
    "scripts are not run": ("<noscript>a</noscript>", "a"),
    "a title": ("<title>t</title>a", "a"),
    "an element that does not end": ("<div><p>a<div>b", "a\nb"),
    "a form": ('<input placeholder="Tên"><input type=submit value="Gửi"><textarea>x</textarea>', "Tên Gửi x"),
    "black on white after white on black": (
        '<table bgcolor="#000"><tr><td style="color:#fff">a</td></tr></table><font color=black>b</font>',
        "a\nb",
    ),
    "small letters around, larger within": ('<div style="font-size:0"><p style="font-size:14px">a</p></div>', "a"),
    "hidden around, visible within": ('<div style="visibility:hidden">x<b style="visibility:visible">a</b></div>', "a"),
    "a colour on a picture": ('<td background="x.png" style="color:#ffffff">a', "a"),
    "a rule for small screens": ("<style>@media (max-width:9px){.a{display:none}}</style><p class=a>a", "a"),
    "a class that is shown after all": ("<style>.a{display:none}</style><p class=a style='display:block'>a", "a"),
    "old fonts": ('<font face=".VnTime">Céng hßa</font> <i style="font-family:VNI-Times">Coäng</i>', "Cộng hòa Cộng"),
    "what Outlook shows is not said twice": ("<!--[if mso]><p>a b</p><![endif]--><p>a <i>b</i></p>", "a b"),
    "what only Outlook shows": ("<p>a</p><!--[if mso]><p>b</p><![endif]-->", "a\nb"),
    "what others than Outlook show": ("<!--[if !mso]><!--><p>a</p><!--<![endif]-->", "a"),
    "a link in white on nothing is blue": ('<font color="white"><a href="x">a</a></font>', "a"),
}
UNSEEN = {
    "display": '<p style="display:none">x</p>',
    "display, with an escape": r'<p style="d\69splay:none">x</p>',
    "display, with a comment": '<p style="display:/**/none">x</p>',
    "display in capitals": '<P STYLE="DISPLAY: NONE !IMPORTANT">x</P>',
    "display, in a sheet": "<style>.h{display:none}</style><p class='g h'>x</p>",
    "display, by id": "<style>#h{display:none}</style><p id=h>x</p>",
    "visibility": '<p style="visibility:hidden">x</p>',
    "opacity": '<p style="opacity:0.01">x</p>',
    "letters of no size": '<p style="font-size:0">x</p>',
    "letters of a pixel": '<p style="font-size:1px">x</p>',
    "letters of no size, the short way": '<p style="font:0/0 a">x</p>',
    "white on white": '<p style="color:#FFF">x</p>',
    "nearly white on white": '<p style="color:rgb(250, 250,250)">x</p>',
    "black on black": '<div style="background:black"><p>x</p></div>',
    "a colour that lets everything through": '<p style="color:rgba(0,0,0,0)">x</p>',
    "transparent": '<p style="color:transparent">x</p>',
    "off the screen": '<p style="position:absolute; left:-9999px">x</p>',
    "indented off the screen": '<p style="text-indent:-999em">x</p>',
    "cut off": '<p style="height:0; overflow:hidden">x</p>',
    "a preheader": '<p style="max-height:0px;max-width:0px;overflow:hidden;mso-hide:all">x</p>',
    "clipped": '<p style="position:absolute;clip:rect(0,0,0,0)">x</p>',
    "scaled to nothing": '<p style="transform:scale(0)">x</p>',
    "the attribute": "<p hidden>x</p>",
    "a template": "<template>x</template>",
    "a dialogue that is not open": "<dialog>x</dialog>",
    "a comment": "<!-- x -->",
    "a title": "<title>x</title>",
    "the text for a picture": '<img src="y" alt="x">',
    "a hint": '<p title="x"></p>',
    "a hidden field": '<input type=hidden value="x">',
    "a hidden bold that lives on": '<p><b style="display:none"></p><p>x</p></b>',
    "hidden in a table cell": '<table><tr><td style="display:none">x</td></tr></table>',
}
SHOWN_AFTER_ALL = {
    "a block ends a hidden paragraph": '<p style="display:none">x<div>y</div>',
    "a row ends a hidden cell": '<table><tr><td style="display:none">x<tr><td>y</table>',
    "an item ends a hidden one": '<ul><li style="display:none">x<li>y</ul>',
    "a cell shuts formatting in": '<table><tr><td><b style="display:none">x</td><td>y</td></tr></table>',
    "an end tag for what is further out": '<b style="display:none"><i>x</b>y</i>',
}


@pytest.mark.parametrize(("source", "visible"), SEEN.values(), ids=SEEN)
def test_seen(source: str, visible: str) -> None:
    assert read_html(source).visible == visible


@pytest.mark.parametrize("source", UNSEEN.values(), ids=UNSEEN)
def test_unseen(source: str) -> None:
    page = read_html(f"before {source} after")
    assert "x" in page.hidden.split()
    assert page.visible.split() == ["before", "after"]


@pytest.mark.parametrize("source", SHOWN_AFTER_ALL.values(), ids=SHOWN_AFTER_ALL)
def test_shown_after_all(source: str) -> None:
    page = read_html(source)
    assert (page.visible, page.hidden) == ("y", "x")


LINKS = {
    "with its text": (
        '<a href="http://a.vn/?x=1&amp;y=2">Xem <b>đây</b></a>',
        ("http://a.vn/?x=1&y=2", "Xem đây", "a", False),
    ),
    "an ampersand as it is": (
        "<a href='http://a.vn/?a=1&copy=2&section'>t</a>",
        ("http://a.vn/?a=1&copy=2&section", "t", "a", False),
    ),
    "white space that browsers ignore": ('<a href=" java\nscript:x ">t</a>', ("javascript:x", "t", "a", False)),
    "without quotes": ("<a href=http://a.vn/b>t</a>", ("http://a.vn/b", "t", "a", False)),
    "a picture": ('<a href="u"><img alt="Ảnh"></a>', ("u", "Ảnh", "a", False)),
    "a button by class": ('<a class="btn btn-primary" href=u>t</a>', ("u", "t", "a", True)),
    "a button by role": ("<a role=button href=u>t</a>", ("u", "t", "a", True)),
    "a button by looks": ('<a href=u style="background:#07c;padding:9px">t</a>', ("u", "t", "a", True)),
    "a button by its cell": (
        '<td style="background:#07c;border-radius:3px"><a href=u style="color:#fff">t</a></td>',
        ("u", "t", "a", True),
    ),
    "no button": ('<a href=u style="color:red">t</a>', ("u", "t", "a", False)),
    "a button for Outlook": (
        '<!--[if mso]><v:roundrect href="u"><center>t</center></v:roundrect><![endif]-->',
        ("u", "t", "v:roundrect", True),
    ),
    "an area": ("<area href=u alt=t>", ("u", "", "area", False)),
    "a form": ("<form action=/in><input type=submit value=Vào></form>", ("/in", "Vào", "form", True)),
    "a picture from elsewhere": ("<img src=http://a.vn/p.gif alt=t>", ("http://a.vn/p.gif", "t", "img", False)),
    "a frame": ("<iframe src=u></iframe>", ("u", "", "iframe", False)),
    "going elsewhere by itself": ('<meta http-equiv="refresh" content="0; URL=\'u\'">', ("u", "", "meta", False)),
    "with a base": ('<base href="https://b.vn/c/"><a href="d">t</a>', ("https://b.vn/c/d", "t", "a", False)),
    "written out": ("<p>http://a.vn/b.</p>", ("http://a.vn/b", "http://a.vn/b", "text", False)),
}


@pytest.mark.parametrize(("source", "link"), LINKS.values(), ids=LINKS)
def test_links(source: str, link: tuple[str, str, str, bool]) -> None:
    assert [(each.target, each.text, each.source, each.button) for each in read_html(source).links] == [link]


def test_an_address_shown_as_a_link_is_one_link() -> None:
    links = read_html('<a href="http://evil.example/">https://bank.example/</a>').links
    assert [(each.target, each.text) for each in links] == [("http://evil.example/", "https://bank.example/")]


def test_links_do_not_nest() -> None:
    assert [each.text for each in read_html("<a href=a>1<a href=b>2</a>3").links] == ["1", "2"]


def test_forms_and_scripts() -> None:
    form = "<form action=u method=POST><input name=a><input type=password name=b></form>"
    page = read_html(f'{form}<p onclick="f()"><script>g</script>')
    assert page.forms[0].method == "post"
    assert page.forms[0].fields == (Field(kind="text", name="a"), Field(kind="password", name="b"))
    assert page.scripts == ("f()", "g")


CHARSETS = {
    b'<meta charset="koi8-r">': "koi8-r",
    b'<META http-equiv=Content-Type content="text/html; charset=windows-1258">': "windows-1258",
    b"<?xml version='1.0' encoding='utf-16'?>": "utf-16",
    b"<meta name=x>": "",
    b" " * 2000 + b"<meta charset=x>": "",
}


@pytest.mark.parametrize(("data", "charset"), CHARSETS.items())
def test_meta_charset(data: bytes, charset: str) -> None:
    assert meta_charset(data) == charset


pieces = st.sampled_from(
    "<p> </p> <b> </b> <a href=x> </a> <div style='display:none'> </div> <table> <tr> <td> </td> </table> <li> "
    "<!-- --> <script> </script> <style> </style> <title> &lt; &#x; &#99999999999; < > \" ' = <!--[if a]> "
    "<![endif]--> <pre> a".split(" ")
)


@given(st.lists(pieces | st.text(max_size=5), max_size=40).map("".join))
def test_anything_is_read(source: str) -> None:
    page = read_html(source)
    assert not set(page.visible + page.hidden) & {"\x1e", "\x1f", "\r"}


@given(st.text(st.sampled_from("abc ệ"), max_size=30), st.integers(0, 30))
def test_text_without_markup_is_all_seen(text: str, at: int) -> None:
    assert "".join(read_html(f"{text[:at]}<i>{text[at:]}</i>").visible.split()) == "".join(text.split())
