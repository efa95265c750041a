"""The parts of an xlsx workbook beside its cells: where each sheet lies, its number formats, and who calculated it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.tables.readers.number_formats import MAX_CODE, NumberFormat, parse_format
from piggy_batch.tables.readers.source import CHUNK
from piggy_batch.tables.readers.xml_parts import XmlStream

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Mapping

    from piggy_batch.tables.readers.xml_parts import Start

MAX_STYLES = 65_536  # a spreadsheet takes 64,000
MAX_FORMATS = 4_096  # that these name; a spreadsheet takes some 250
_WORKBOOK = "xl/workbook.xml"


@dataclass(frozen=True, slots=True)
class XlsxParts:
    """What the parts beside the sheets tell.

    ``trusted`` is whether a spreadsheet program calculated the formulas before it saved. ``unfinished``: the writer
    asks for a calculation when the file is opened, so no stored result can be trusted that might be a default.
    """

    sheets: Mapping[str, str]  # name of the sheet -> member of the archive
    formats: Mapping[int, NumberFormat] = field(default_factory=dict)  # index of a cell's style -> what it adds
    trusted: bool = False
    unfinished: bool = False


def read_parts(archive: zipfile.ZipFile, where: str) -> XlsxParts:
    """Read workbook, relations and styles; SetupError where they are damaged."""
    members = {_plain(name): name for name in archive.namelist()}
    book = _WorkbookParts()
    _read(archive, members, _WORKBOOK, where, book.start)
    targets = _targets(archive, members, where)
    sheets = {name: members[place] for name, relation in book.sheets if (place := targets.get(relation, "")) in members}
    application = _application(archive, members, where)
    trusted = not book.unfinished and (book.calculated or application.startswith("LibreOffice"))
    return XlsxParts(sheets, _formats(archive, members, where), trusted, book.unfinished)


def pieces(archive: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    """The bytes of a member, a piece at a time."""
    with archive.open(member) as file:
        while piece := file.read(CHUNK):
            yield piece


def _plain(name: str) -> str:
    """How a member is looked up: as spreadsheet programs do, whatever the case and the slashes."""
    return name.replace("\\", "/").lstrip("/").lower()


class _WorkbookParts:
    """Sheets and their relations, and whether the workbook says that it was calculated."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.calculated = False
        self.unfinished = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self.sheets.append((attributes.get("name", ""), relation))
        elif name == "calcPr":
            self.unfinished = attributes.get("fullCalcOnLoad", "0") in {"1", "true"}
            self.calculated = attributes.get("calcId", "0") != "0"


def _targets(archive: zipfile.ZipFile, members: Mapping[str, str], where: str) -> dict[str, str]:
    """Relation -> place in the archive."""
    found: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            target = attributes.get("Target", "").replace("\\", "/")
            place = target if target.startswith(("/", "xl/")) else f"xl/{target}"
            found[attributes.get("Id", "")] = _plain(posixpath.normpath(place))

    _read(archive, members, "xl/_rels/workbook.xml.rels", where, start)
    return found


def _application(archive: zipfile.ZipFile, members: Mapping[str, str], where: str) -> str:
    """The program that saved the workbook, by its own word."""
    found: list[str] = []
    inside: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        inside.append(name)

    def end(_: str) -> None:
        inside.pop()

    def text(data: str) -> None:
        if inside and inside[-1] == "Application":
            found.append(data)

    if "docprops/app.xml" in members:
        stream = XmlStream(where, start=start, end=end, text=text)
        stream.read(pieces(archive, members["docprops/app.xml"]))
    return "".join(found)


def _formats(archive: zipfile.ZipFile, members: Mapping[str, str], where: str) -> dict[int, NumberFormat]:
    """The formats that add signs to what a cell holds, by the index of the style that cells name."""
    codes: dict[str, str] = {}
    adding: dict[str, NumberFormat | None] = {}
    styles: dict[int, NumberFormat] = {}
    inside: list[str] = []
    number = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal number
        inside.append(name)
        if name == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")[:MAX_CODE]
        elif name == "xf" and inside[-2:-1] == ["cellXfs"]:
            code = codes.get(attributes.get("numFmtId", ""), "")
            if code not in adding:
                adding[code] = parse_format(code)
            if (used := adding[code]) is not None:
                styles[number] = used
            number += 1
            if len(adding) > MAX_FORMATS:
                raise SetupError(f"{where}: has more than {MAX_FORMATS:,} number formats; save it as CSV UTF-8")
            if number > MAX_STYLES:
                raise SetupError(f"{where}: has more than {MAX_STYLES:,} cell styles; save it as CSV UTF-8")

    def end(_: str) -> None:
        inside.pop()

    if "xl/styles.xml" in members:
        stream = XmlStream(where, start=start, end=end)
        stream.read(pieces(archive, members["xl/styles.xml"]))
    return styles


def _read(archive: zipfile.ZipFile, members: Mapping[str, str], place: str, where: str, start: Start) -> None:
    if place not in members:
        raise SetupError(f"{where}: the workbook has no {place}; save it again, or as CSV UTF-8")
    XmlStream(where, start=start).read(pieces(archive, members[place]))
