"""Reads Word documents: a ZIP of XML parts, each unpacked once within the limits and never kept."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from xml.parsers import expat

from services.intake.poe.limits import FileType, Limits
from services.intake.poe.verdict import encrypted, not_allowed, unreadable

CONTENT_TYPES = "[Content_Types].xml"
CONTENT_TYPES_MAX = 1024 * 1024
MAIN_PART = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
ENCRYPTED_FLAG = 0x1
LOCAL_HEADER = 30
CHUNK = 64 * 1024
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    expat.ExpatError,
    KeyError,
)


def check_docx(content: bytes, row: FileType, limits: Limits) -> None:
    """None (pages exist only in layout), or `Rejection`: no Word document, encrypted, damaged, or a bomb."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            check_is_no_bomb(members, len(content), limits)
            check_is_packed_plainly(members)
            main_part = find_main_part(archive, limits)
            for member in members:
                _check_member(archive, member, limits)
            check_is_part(main_part, members)
    except BROKEN as error:
        raise unreadable("The file is not a Word document that can be read: it is truncated or damaged.") from error


def check_is_no_bomb(members: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    """By the directory alone, before anything is unpacked; zipfile never yields more than a declared size."""
    if len(members) > limits.max_zip_members:
        raise unreadable(f"The document has more than {limits.max_zip_members} parts.")
    inflated = sum(member.file_size for member in members)
    if inflated > limits.max_inflated_bytes:
        raise unreadable(f"The document unpacks to more than {limits.max_inflated_bytes} bytes.")
    if inflated > limits.ratio_free_bytes and inflated > size * limits.max_inflation_ratio:
        raise unreadable(f"The document unpacks to more than {limits.max_inflation_ratio} times its size.")
    _check_members_share_nothing(members)


def check_is_packed_plainly(members: list[zipfile.ZipInfo]) -> None:
    if any(member.flag_bits & ENCRYPTED_FLAG for member in members):
        raise encrypted("The Word document is protected with a password; send it without one.")
    if any(member.compress_type not in METHODS for member in members):
        raise unreadable("The document is packed in a way that Word does not use.")


def _check_members_share_nothing(members: list[zipfile.ZipInfo]) -> None:
    """Entries over the same bytes: how a small file holds a large bomb, or shows two readers two texts."""
    if len({member.filename for member in members}) != len(members):
        raise unreadable("The document holds two parts of the same name.")
    end = 0
    for member in sorted(members, key=lambda entry: entry.header_offset):
        if member.header_offset < end:
            raise unreadable("The document's parts lie over each other.")
        end = member.header_offset + LOCAL_HEADER + member.compress_size


def find_main_part(archive: zipfile.ZipFile, limits: Limits) -> str:
    """Name of the part declared as a Word document's body; templates and macros have other types."""
    if CONTENT_TYPES not in archive.namelist():
        raise not_allowed("The file was declared as a Word document but is another kind of ZIP archive.")
    if archive.getinfo(CONTENT_TYPES).file_size > CONTENT_TYPES_MAX:
        raise unreadable("The document's list of parts is too long.")
    names: list[str] = []

    def start(_: str, attributes: dict[str, str]) -> None:
        if attributes.get("ContentType") == MAIN_PART and "PartName" in attributes:
            names.append(attributes["PartName"].lstrip("/"))

    parser = _parser(limits, start)
    parser.Parse(_whole(archive, CONTENT_TYPES), True)
    if len(names) != 1:
        raise not_allowed("The file was declared as a Word document but is another kind of Office document.")
    return names[0]


def check_is_part(name: str, members: list[zipfile.ZipInfo]) -> None:
    if name not in {member.filename for member in members}:
        raise unreadable("The Word document has no text part.")


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits) -> None:
    """Unpacks one part in pieces, which checks its CRC, and its XML if it is any."""
    parser = _parser(limits) if member.filename.endswith((".xml", ".rels")) else None
    for piece in _pieces(archive, member):
        if parser is not None:
            parser.Parse(piece, False)
    if parser is not None:
        parser.Parse(b"", True)


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as part:
        while piece := part.read(CHUNK):
            yield piece


def _whole(archive: zipfile.ZipFile, name: str) -> bytes:
    return b"".join(_pieces(archive, archive.getinfo(name)))


def _parser(limits: Limits, start: object = None) -> expat.XMLParserType:
    """An XML parser that knows no DTD (so no entity can grow or reach out) and no deep nesting."""
    parser = expat.ParserCreate()
    depth = 0

    def refuse_doctype(*_: object) -> None:
        raise unreadable("The document's XML declares entities of its own, which Word documents do not.")

    def enter(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > limits.max_xml_depth:
            raise unreadable(f"The document's XML is nested more than {limits.max_xml_depth} deep.")
        if callable(start):
            start(name, attributes)

    def leave(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.StartElementHandler = enter
    parser.EndElementHandler = leave
    return parser
