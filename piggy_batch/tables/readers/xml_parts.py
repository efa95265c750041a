"""XML read as a stream of elements, in bounded memory, with nothing that a document could make the parser load."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from piggy_batch.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Start = Callable[[str, dict[str, str]], None]  # name, attributes
    Named = Callable[[str], None]


class XmlStream:
    """An expat parser fed piece by piece; element names come without their namespace, attributes as written."""

    def __init__(
        self,
        where: str,
        *,
        start: Start,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        self._where = where
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
        if end is not None:
            close = end
            self._parser.EndElementHandler = lambda name: close(name.rpartition(":")[2])
        if text is not None:
            self._parser.CharacterDataHandler = text

    def _refuse_doctype(self, *_: object) -> None:
        raise SetupError(f"{self._where}: the workbook declares XML entities; save it again, or as CSV UTF-8")

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Parse a piece. SetupError where it is no sound XML."""
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            raise SetupError(
                f"{self._where}: the workbook cannot be read ({error}); save it again, or as CSV UTF-8"
            ) from None

    def read(self, pieces: Iterable[bytes]) -> None:
        """Parse a whole document."""
        for piece in pieces:
            self.feed(piece)
        self.feed(b"", last=True)
