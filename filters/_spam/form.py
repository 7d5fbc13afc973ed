"""The form of a mail: its header fields, how its addresses relate to each other, how its lines and links look.

Nothing here names a host, a list or a person: what is counted are relations and manners that senders of mass mail have
and others do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parseaddr

from gateway.mail import Mail
from gateway.reading import Zone

FIELD_LIMIT = 2_000
"""Characters of one field that are looked at."""

LINKS = 60
"""Links that are looked at, and of each LINK_LIMIT characters."""

LINK_LIMIT = 300

HOPS = 12
"""Received fields that are looked at, from the top."""

_SIMPLE = ("x-mailer", "user-agent", "x-priority", "x-msmail-priority", "x-mimeole", "importance", "organization",
           "cc", "x-accept-language", "errors-to", "reply-to", "mime-version", "content-type", "x-originating-ip",
           "x-sender", "thread-index", "content-transfer-encoding", "in-reply-to", "references",
           "list-unsubscribe", "auto-submitted", "feedback-id", "dkim-signature")  # fmt: skip
"""Fields whose presence counts."""

_MAILERS = ("outlook express", "outlook", "mozilla", "mutt", "pine", "eudora", "evolution", "kmail", "thunderbird",
            "internet mail service", "the bat", "apple mail", "aol", "phpmailer", "exmh", "gnus")  # fmt: skip
_RUN = re.compile(r"[A-Z]+|[a-z]+|\d+")
_ALTERNATING = re.compile(r"(?:9a|a9|9A|A9){2,}")
_ADDRESS_HOP = re.compile(r"from \[?\d{1,3}(?:\.\d{1,3}){3}\]? ")
_DYNAMIC = re.compile(
    r"\b(?:dsl|adsl|dial-?up|ppp|cable|dhcp|dyn|pool|client)[\w.-]{0,40}\d|\d[-.]\d+[-.]\d+[-.]\d+\.[a-z]"
)
_CAPITALS = re.compile(r"\b[A-Z]{4,}\b")
_NUMBER_HOST = re.compile(r"https?://(?:[^/@\s]*@)?(?:\d{1,3}(?:\.\d{1,3}){3}|0x[0-9a-f]{8}|\d{8,10})\b", re.IGNORECASE)
_MONEY = re.compile(r"(?:[$£€]\s?\d|\d\s?(?:usd|dollars?|vnd|vnđ)\b)", re.IGNORECASE)
_SPACED_TAIL = re.compile(r"\s{4}\S{1,40}$|\s\S{0,20}\d{3}[a-z]{2}\S{0,20}$")
_SPACED_OUT = re.compile(r"(?:\b\w[ .*_-]){5,}")
_REMOVE = re.compile("remove|unsub|optout|opt-out")
_GAPPED = re.compile(r"\b[A-Za-z]+[0@1!$][A-Za-z]+\b")


def form_features(mail: Mail) -> Iterator[str]:
    """The features of the form, each once."""
    fields: dict[str, str] = {}
    hops: list[str] = []
    for header in mail.root.headers:
        name = header.name.lower()
        if name == "received":
            if len(hops) < HOPS:
                hops.append(header.value[:FIELD_LIMIT])
        elif name not in fields:
            fields[name] = header.value[:FIELD_LIMIT]
    yield from (f"*has-{name}" for name in _SIMPLE if name in fields)
    own = _organisation(parseaddr(fields.get("from", ""))[1].lower().rpartition("@")[2])
    yield from _addresses(fields, own)
    yield from _subject(fields.get("subject", ""))
    yield from _programs(fields)
    yield from _way(hops)
    yield from _house(mail, fields, hops, own)
    yield from _parts(mail)
    yield from _texts(mail)
    yield from _links(mail, own)


def _addresses(fields: dict[str, str], own: str) -> Iterator[str]:
    name, sender = parseaddr(fields.get("from", ""))
    local = sender.lower().rpartition("@")[0]
    if "reply-to" in fields:
        yield "*reply-same" if own and own in fields["reply-to"].lower() else "*reply-elsewhere"
    identifier = fields.get("message-id", "").strip()
    if not identifier:
        yield "*no-message-id"
    else:
        left, _, right = identifier.strip("<> ").rpartition("@")
        yield "*id-same" if own and right.lower().endswith(own) else "*id-elsewhere"
        yield f"*id-form:{_shape(left)}"
        if "." not in right:
            yield "*id-host-bare"
        if not identifier.startswith("<"):
            yield "*id-no-brackets"
    to = fields.get("to", "")
    recipients = to.count("@")
    if not to:
        yield "*no-to"
    elif not recipients:
        yield "*undisclosed"
    else:
        yield f"*to-{min(recipients, 4)}"
        shown, address = parseaddr(to)
        if not shown:
            yield "*to-unnamed"
        elif shown.lower() == address.lower() or shown.lower() == address.partition("@")[0].lower():
            yield "*to-named-as-address"
        if address and address.lower() == sender.lower():
            yield "*to-self"
    if not sender:
        yield "*no-sender"
    if sum(map(str.isdigit, local)) >= 3:
        yield "*from-digits"
    if not name:
        yield "*from-unnamed"
    elif name.isupper():
        yield "*from-capitals"
    elif name[:1].islower():
        yield "*from-small"
    if '"' in fields.get("from", "")[:1]:
        yield "*from-quoted"
    if "cc" in fields and fields["cc"].count("@") >= 4:
        yield "*cc-many"


def _organisation(domain: str) -> str:
    """The last two labels: enough to see whether two names are of one house."""
    return ".".join(domain.split(".")[-2:]) if "." in domain else ""


def _shape(text: str) -> str:
    """The shape of an identifier, by which the programs that make them differ: runs of capitals, of letters and of
    digits as one sign each, what alternates as one."""

    def sign(run: re.Match[str]) -> str:
        return "9" if run[0][0].isdigit() else "A" if run[0][0].isupper() else "a"

    return _ALTERNATING.sub("x", _RUN.sub(sign, text[:80]))[:12].replace(" ", "_")


def _subject(subject: str) -> Iterator[str]:
    bare = re.sub(r"^(?:\s*(?:re|fwd?)\s*:|\s*\[[^\]]{1,40}\])*\s*", "", subject, flags=re.IGNORECASE)
    if not bare:
        yield "*no-subject"
        return
    letters = [letter for letter in bare if letter.isalpha()]
    if len(letters) >= 6 and sum(map(str.isupper, letters)) * 10 > len(letters) * 7:
        yield "*subject-capitals"
    if _SPACED_TAIL.search(bare.rstrip()[-60:]):
        yield "*subject-tail"
    if _SPACED_OUT.search(bare) or _GAPPED.search(bare):
        yield "*subject-disguised"
    yield from (f"*subject{sign}" for sign in "!?$%," if sign in bare)
    if "!!" in bare:
        yield "*subject!!"
    if "*" in bare or "~" in bare or "..." in bare:
        yield "*subject-decorated"
    if re.match(r"(?:\[[^\]]{1,40}\]\s*)?re:", subject.strip(), re.IGNORECASE):
        yield "*subject-answer"
    words = bare.split()
    if len(words) >= 4 and sum(word[:1].isupper() for word in words) * 10 >= len(words) * 8:
        yield "*subject-titled"
    if bare[:1].islower():
        yield "*subject-small"


def _programs(fields: dict[str, str]) -> Iterator[str]:
    program = f"{fields.get('x-mailer', '')} {fields.get('user-agent', '')}".strip().lower()
    known = next((name for name in _MAILERS if name in program), "")
    if known:
        yield f"*by-{known.replace(' ', '-')}"
    elif program:
        yield "*by-unknown"
    if known.startswith("outlook") and "x-mimeole" not in fields:
        yield "*outlook-without-mimeole"  # Outlook always writes X-MimeOLE
    if "x-mimeole" in fields and not known.startswith("outlook"):
        yield "*mimeole-without-outlook"
    if "in-reply-to" not in fields and "references" not in fields:
        if re.match(r"\s*re:", fields.get("subject", ""), re.IGNORECASE):
            yield "*answer-to-nothing"
    else:
        yield "*answer"
    kind = fields.get("content-type", "")
    if found := re.search(r'boundary="?([^";\s]{1,70})', kind):
        yield f"*boundary:{_shape(found[1])}"
    if "content-type" in fields and "charset" not in kind.lower() and kind.lower().startswith("text/"):
        yield "*no-charset"
    if 'charset="' in kind:
        yield "*charset-quoted"
    if "format=flowed" in kind.lower():
        yield "*flowed"
    if "x-priority" in fields:
        yield f"*priority-{fields['x-priority'].strip()[:1]}"
    if date := fields.get("date"):
        if not re.search(r"[+-]\d{4}", date):
            yield "*date-zoneless"
        if not re.match(r"\s*[A-Z][a-z]{2},", date):
            yield "*date-dayless"
        if "(" in date:
            yield "*date-zone-named"
    else:
        yield "*no-date"


def _way(hops: list[str]) -> Iterator[str]:
    for hop in hops:
        if _ADDRESS_HOP.search(hop):
            yield "*hop-address"
        if "unknown" in hop:
            yield "*hop-unknown"
        if "may be forged" in hop:
            yield "*hop-forged"
        if _DYNAMIC.search(hop.partition(" by ")[0]):
            yield "*hop-dynamic"
        if "with http" in hop.lower():
            yield "*hop-web"


def _house(mail: Mail, fields: dict[str, str], hops: list[str], own: str) -> Iterator[str]:
    """Whether who sends, who carried it and who hears of failures are one house."""
    back = (mail.envelope.sender or fields.get("return-path", "")).lower().strip("<> ")
    if own:
        handed = [hop.partition(" by ")[0].lower() for hop in hops]
        if any(own in hop for hop in handed) or _organisation(mail.client.name.lower()) == own:
            yield "*hop-own"
        else:
            yield "*hop-foreign"
        yield "*back-same" if back.endswith(own) else "*back-elsewhere"
    if sum(map(str.isdigit, back)) >= 4 or "bounce" in back or "=" in back:
        yield "*back-numbered"  # an address for each recipient (VERP)
    to = parseaddr(fields.get("to", ""))[1].lower()
    if to and any(to in text.content[-4_000:].lower() for text in mail.reading.of(Zone.BODY)):
        yield "*shows-recipient"


def _parts(mail: Mail) -> Iterator[str]:
    for part in mail.root.walk()[:20]:
        yield f"*part:{part.media_type}"[:40].replace(" ", "_")
        if part.encoding not in ("7bit", "8bit"):
            yield f"*{part.media_type[:5]}-in-{part.encoding[:16]}".replace(" ", "_")
    yield from (f"*defect:{defect}" for defect in mail.root.defects)


def _texts(mail: Mail) -> Iterator[str]:
    body = "\n".join(text.content for text in mail.reading.of(Zone.BODY))[:8_000]
    words = body.split()
    count = max(len(words), 1)
    capitals = len(_CAPITALS.findall(body))
    for share in (3, 10, 25):
        if capitals * 100 > share * count:
            yield f"*capitals-{share}"
    for share in (1, 3):
        if body.count("!") * 100 > share * count:
            yield f"*shouts-{share}"
    if "!!!" in body:
        yield "*shouts!!!"
    if _MONEY.search(body):
        yield "*money"
    if len(_MONEY.findall(body)) >= 3:
        yield "*money-much"
    if _SPACED_OUT.search(body):
        yield "*spaced-out"
    if "\n>" in body or body[:1] == ">":
        yield "*quotes"
    if re.search(r"(?im)^(?:on .{5,80}wrote:|.{3,60} (?:writes|wrote|said):? {0,3}$)", body):
        yield "*quotes-by-name"
    if re.search(r"(?m)^-- ?$", body):
        yield "*signature"
    if re.search(r"(?m)^[=*~#_-]{20,} {0,3}$", body):
        yield "*rules"
    yield "*words-none" if len(words) < 10 else "*words-few" if len(words) < 60 else "*words-many"
    if sum(len(text.content) for text in mail.reading.of(Zone.HIDDEN)) > 200:
        yield "*hidden-text"


def _links(mail: Mail, own: str) -> Iterator[str]:
    links = mail.reading.links[:LINKS]
    targets = [link.target[:LINK_LIMIT].lower() for link in links]
    hosts = {target.split("/")[2] for target in targets if target.count("/") >= 2}
    if own and hosts:
        ours = sum(host.endswith(own) for host in hosts)
        yield "*links-own" if ours == len(hosts) else "*links-some-own" if ours else "*links-foreign"
    if any(map(_NUMBER_HOST.match, targets)):
        yield "*link-number"
    if any(link.source == "img" and link.target.startswith("http") for link in links):
        yield "*picture-fetched"
    if any(link.source == "form" for link in links):
        yield "*form"
    if any(target.startswith("mailto:") for target in targets):
        yield "*link-mail"
    if any("@" in host for host in hosts):
        yield "*link-user"
    if any(":" in host for host in hosts):
        yield "*link-port"
    yield f"*links-{'none' if not links else 'one' if len(links) == 1 else 'few' if len(links) < 8 else 'many'}"
    yield f"*hosts-{min(len({_organisation(host) for host in hosts}), 4)}"
    if any(_REMOVE.search(target) for target in targets):
        yield "*link-remove"
