"""Any XML as text: what stands between the tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.extract.formats import Fact
from gateway.reading import Text, Zone


class PlainXml:
    """A handler for `markup.parse`: each element's own text is a line."""

    def __init__(self, place: str, kind: str, zone: Zone) -> None:
        self.place, self.kind, self.zone = place, kind, zone
        self._lines: list[str] = []
        self._line: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """See `markup.Handler`."""
        self._end_line()

    def end(self, name: str) -> None:
        """See `markup.Handler`."""
        self._end_line()

    def data(self, text: str) -> None:
        """See `markup.Handler`."""
        self._line.append(text)

    def finish(self) -> list[Fact]:
        """The text, if there is any."""
        self._end_line()
        return list(self.text(self.place, self.kind, self.zone, self._lines))

    def _end_line(self) -> None:
        if self._line:
            if line := "".join(self._line).strip():
                self._lines.append(line)
            self._line = []

    @staticmethod
    def text(place: str, kind: str, zone: Zone, lines: Iterable[str]) -> Iterator[Text]:
        """Lines as one text, nothing where they are empty."""
        content = "\n".join(lines)
        if content.strip():
            yield Text(place=place, zone=zone, content=content, kind=kind)
