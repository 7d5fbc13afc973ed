"""What a client hears: replies that cannot be malformed, and the named ones, each with its paragraph.

Every reply to a client is made here or copied from the next hop. Findings, host names and exception texts never are
in one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

TEXT_LIMIT = 400
"""Octets of text in a reply line of ours. RFC 5321 section 4.5.3.1.5 allows 512 with code and CRLF."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply: `code` 200 to 599, `enhanced` ("7.1", without its class: the class is the code's) and text.

    Raises ValueError for what no reply may be: a code out of range, text that is not printable US-ASCII or too long.
    `lines` of a copied multi-line reply are joined by "\\n" in `text`.
    """

    code: int
    enhanced: str
    text: str

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"reply code {self.code} is out of range")
        if self.enhanced and not all(piece.isdigit() for piece in self.enhanced.split(".")):
            raise ValueError(f"enhanced code {self.enhanced!r} is not of the form 7.1")
        for line in self.text.split("\n"):
            if not (line.isascii() and line.isprintable()) or len(line) > TEXT_LIMIT:
                raise ValueError("reply text must be short printable US-ASCII")

    @property
    def accepted(self) -> bool:
        """True for 2xx and 3xx."""
        return self.code < 400

    @property
    def temporary(self) -> bool:
        """True for 4xx: the client keeps the mail and tries again."""
        return 400 <= self.code < 500

    @property
    def status(self) -> str:
        """The enhanced code with its class, "5.7.1" (RFC 3463 section 2), or "" where the reply has none."""
        return f"{self.code // 100}.{self.enhanced}" if self.enhanced else ""

    def with_text(self, text: str) -> Reply:
        """The same codes with another text."""
        return replace(self, text=printable(text))

    def about(self, mail_id: str, help_url: str = "") -> Reply:
        """The same reply with the message's id, so that a sender's report finds our log line, and where to ask."""
        mark = f" [id {mail_id}] {help_url}".rstrip()
        first, *rest = self.text.split("\n")
        return Reply(self.code, self.enhanced, "\n".join([first[: TEXT_LIMIT - len(mark)] + mark, *rest]))

    def encode(self) -> bytes:
        """The reply as it goes on the wire (RFC 5321 section 4.2.1; RFC 2034 section 4 for the enhanced code)."""
        status = f"{self.status} " if self.status else ""
        *lines, last = self.text.split("\n")
        begun = "".join([f"{self.code}-{status}{line}\r\n" for line in lines])
        return f"{begun}{self.code} {status}{last}\r\n".encode("ascii")

    def __str__(self) -> str:
        return " ".join(piece for piece in (str(self.code), self.status, self.text.replace("\n", " / ")) if piece)


_NO_DECOMPOSITION = str.maketrans({"đ": "d", "Đ": "D", "–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'"})


def printable(text: str) -> str:
    """`text` as one line of printable US-ASCII that fits a reply: Vietnamese loses its marks, the rest becomes "?".

    RFC 6531 section 3.7.4: a reply is ASCII unless the session asked for UTF-8; the full text is in the notice.
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_NO_DECOMPOSITION))
    ascii_text = "".join(
        char if char.isascii() else "?" for char in decomposed if not unicodedata.combining(char)
    )
    one_line = " ".join("".join(char if char.isprintable() else " " for char in ascii_text).split())
    return one_line[:TEXT_LIMIT]


# RFC 5321 section 4.2.2 and 4.2.3; RFC 3463 for the enhanced codes.
OK = Reply(250, "0.0", "OK")
SENDER_OK = Reply(250, "1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "1.5", "Recipient OK")
TAKEN = Reply(250, "6.0", "Taken")
START_DATA = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
GOODBYE = Reply(221, "0.0", "Goodbye")
READY_FOR_TLS = Reply(220, "0.0", "Ready to start TLS")  # RFC 3207 section 4
CANNOT_VERIFY = Reply(252, "5.0", "Cannot verify, but will take mail for it")  # RFC 5321 section 3.5.3
HELP = Reply(214, "0.0", "See RFC 5321")

SHUTTING_DOWN = Reply(421, "3.2", "Service is closing, try again soon")  # RFC 3463: 3.2 not accepting messages
TOO_BUSY = Reply(421, "3.2", "Too busy, try again later")
TOO_MANY_ERRORS = Reply(421, "7.0", "Too many errors, closing")
TOO_SLOW = Reply(421, "4.2", "Timeout, closing")  # RFC 5321 section 4.5.3.2.7
HOP_UNREACHABLE = Reply(451, "4.1", "Next hop cannot be reached, try again later")
HOP_LOST = Reply(451, "4.2", "Next hop went away, try again later")
HOP_GARBAGE = Reply(451, "5.0", "Next hop broke the protocol, try again later")
HOP_REFUSES_UTF8 = Reply(553, "6.7", "Next hop takes no internationalised addresses")  # RFC 6531 section 3.5
TROUBLE = Reply(451, "3.0", "Temporary trouble here, try again later")
NO_ROOM = Reply(452, "3.1", "No room to take the message now")  # RFC 5321 section 4.5.3.1.10
TOO_MANY_RECIPIENTS = Reply(452, "5.3", "Too many recipients in one transaction")
DEADLINE = Reply(451, "3.0", "Not decided in time, try again later")

SYNTAX = Reply(500, "5.2", "Syntax error")
LINE_TOO_LONG = Reply(500, "5.2", "Line too long")
UNKNOWN_COMMAND = Reply(500, "5.1", "Command unknown")
NOT_OFFERED = Reply(502, "5.1", "Command not offered")
BAD_ARGUMENT = Reply(501, "5.4", "Syntax error in parameters")
BAD_SEQUENCE = Reply(503, "5.1", "Bad sequence of commands")
BAD_PARAMETER = Reply(555, "5.4", "Parameter not recognised or not supported")  # RFC 5321 section 4.1.1.11
BAD_ADDRESS = Reply(553, "1.3", "Address not understood")
NEEDS_UTF8 = Reply(553, "6.7", "Address needs SMTPUTF8")  # RFC 6531 section 3.4
NEEDS_TLS = Reply(530, "7.0", "Must issue STARTTLS first")  # RFC 3207 section 4
TLS_UNAVAILABLE = Reply(454, "7.0", "TLS not available")
NOT_AUTHORISED = Reply(550, "7.0", "Not authorised")
NO_VALID_RECIPIENTS = Reply(554, "5.1", "No valid recipients")
TOO_BIG = Reply(552, "3.4", "Message too big")  # RFC 1870 section 6.1
BARE_LINE_ENDING = Reply(550, "5.2", "Bare CR or LF, or NUL, in message")  # RFC 5321 section 2.3.8
LOOP = Reply(554, "4.6", "Mail loop: too many hops")  # RFC 5321 section 6.3
REFUSED = Reply(550, "7.1", "Refused by policy")  # RFC 3463 section 3.8
DEFERRED = Reply(451, "7.1", "Cannot be decided now, try again later")
