"""HTML as a person sees it: the text shown, in lines; the text that is there and not shown; and where it leads.

As a mail program shows it, which runs no scripts: so `noscript` is seen. Conditional comments, which Outlook shows, are
read too; what they say stands at the end where the rest does not say it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.text.addresses import Anchor, absolute, written_links
from gateway.text.rendering import FormFound, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input of a form: `kind` its type ("text", "password", "hidden", ...), `name`, and what is `said` in it
    (placeholder, value, the words on a button)."""

    kind: str
    name: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form and its fields, in order. `action` is absolute where a base is known."""

    action: str = ""
    method: str = "get"
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypertext:
    """What is in a piece of HTML. `visible` and `hidden` are lines, the cells of a row parted by "\\t". Hidden are also
    comments, titles, the texts that stand for pictures, and the values of hidden fields.

    `links` have those written out in the text too. `scripts` are the sources of its scripts, event handlers included;
    `fonts` the names of fonts it asks for; text in a font of an old Vietnamese encoding is Unicode here.
    """

    visible: str = ""
    hidden: str = ""
    links: tuple[Anchor, ...] = ()
    forms: tuple[Form, ...] = ()
    scripts: tuple[str, ...] = ()
    fonts: frozenset[str] = frozenset()


_META_CHARSET = re.compile(rb"<meta[^>]{1,200}?charset\s{0,20}=\s{0,20}[\"']?\s{0,20}([\w.:-]{1,40})", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"\A\s{0,20}<\?xml[^>]{0,200}?encoding\s{0,20}=\s{0,20}[\"']([\w.:-]{1,40})", re.IGNORECASE)


def meta_charset(data: bytes) -> str:
    """The charset that HTML names itself in its first 1024 bytes (HTML Standard section 13.2.3.2), or ""."""
    found = _META_CHARSET.search(data, 0, 1024) or _XML_CHARSET.match(data, 0, 1024)
    return found[1].decode("ascii") if found else ""


def read_html(source: str) -> Hypertext:
    """What a mail program or browser makes of HTML, broken or not. Linear; never raises."""
    reader = Reader()
    reader.read(source)
    visible, hidden = reader.visible(), reader.hidden()
    links = [
        Anchor(target=absolute(each.target, reader.base), text=each.text(), source=each.source, button=each.button)
        for each in reader.links
    ]
    forms = tuple(_form(each, reader.base) for each in reader.forms)
    links += [
        Anchor(target=form.action, text=_submit(form), source="form", button=True) for form in forms if form.action
    ]
    in_links = {written.target for link in links for written in written_links(link.text)}
    links += [written for written in written_links(visible) if written.target not in in_links]
    return Hypertext(
        visible=visible,
        hidden=hidden,
        links=tuple(links),
        forms=forms,
        scripts=tuple(reader.scripts),
        fonts=frozenset(reader.fonts),
    )


def _form(found: FormFound, base: str) -> Form:
    fields = tuple(Field(kind=kind, name=name, said=said) for kind, name, said in found.fields)
    return Form(action=absolute(found.action, base), method=found.method, fields=fields)


def _submit(form: Form) -> str:
    """What is written on the button that sends the form."""
    return next((each.said for each in form.fields if each.kind in ("submit", "image") and each.said), "")
