"""RTF: the text of the document, in the code pages that it names, and its tables."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from checks.facts.attachments.content import (
    Content,
    EdgedRow,
    TableCollector,
    edged_grid,
    refuse_pictures,
    whole_characters,
)
from checks.facts.attachments.limits import Budget
from checks.facts.dom import normalise
from checks.facts.tables import MAX_CAPTION

_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)")
_SILENT = re.compile(  # destinations whose text is no text of the document
    "colortbl|stylesheet|info|pict|object|header[lrf]?|footer[lrf]?|footnote|annotation|fldinst|datafield|xe|tc|"
    "bkmkstart|bkmkend|listtable|listoverridetable|themedata|nonshppict|filetbl|revtbl|rsidtbl|generator|pntext|"
    "pn|sp|sn|sv|template|author|operator"
)
_CHARACTERS = {
    "tab": "\t", "line": " ", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’",
    "ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ",
}  # fmt: skip
_SYMBOLS = {b"~": " ", b"_": "-", b"{": "{", b"}": "}", b"\\": "\\"}
_CHARSETS = {128: "cp932", 129: "cp949", 134: "gb18030", 136: "cp950"}
_OPENING, _CLOSING = b"{", b"}"
TOKEN_COST = 2  # operations
MAX_DEPTH = 1_000  # groups in groups


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits from the one around it."""

    silent: bool = False
    fonts: bool = False  # within the table of fonts
    font: int = -1
    skip: int = 1  # characters that stand for a \u in readers that know none
    in_table: bool = False


def read_rtf(body: bytes, budget: Budget) -> Content:
    """Return the text and its tables; headers, footers and notes are left out."""
    reader = _Reader(budget)
    at = 0
    while (match := _TOKEN.search(body, at)) is not None:
        budget.spend("operations", TOKEN_COST)
        at = match.end() + reader.take(match)
    reader.end_paragraph()
    reader.end_table()
    text = "\n".join(reader.lines)
    refuse_pictures(text, reader.pictures)
    return Content(text, tuple(reader.tables.found))


@dataclass(slots=True)
class _Row:
    """The table row that is being read."""

    cells: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)  # paragraphs of the cell that is being read
    edges: list[int] = field(default_factory=list)
    continued: list[bool] = field(default_factory=list)
    continues: bool = False  # the cell whose edge comes next


class _Reader:
    def __init__(self, budget: Budget) -> None:
        self.lines: list[str] = []
        self.tables = TableCollector(budget)
        self.pictures = False
        self._budget = budget
        self._state = _State()
        self._groups: list[_State] = []
        self._encoding = "gb18030"
        self._charsets: dict[int, str] = {}
        self._bytes = bytearray()
        self._text: list[str] = []
        self._left_to_skip = 0
        self._starred = False
        self._row = _Row()
        self._rows: list[EdgedRow] = []
        self._caption = ""

    def take(self, match: re.Match[bytes]) -> int:
        """Read one token; returns the length of the binary data (\\bin) that follows it."""
        word, number, code, symbol, brace, text = match.groups()
        if text is not None or code is not None:
            self._add_bytes(text if code is None else bytes.fromhex(code.decode()))
        elif brace is not None:
            self._flush()
            self._group(brace)
        elif symbol is not None:
            self._starred = symbol == b"*"
            self._add_text(_SYMBOLS.get(symbol, ""))
        else:
            self._word(word.decode(), int(number) if number else None)
            return max(0, int(number or 0)) if word == b"bin" else 0
        return 0

    def _group(self, brace: bytes) -> None:
        self._left_to_skip = 0
        if brace == _OPENING:
            if len(self._groups) >= MAX_DEPTH:
                raise RecursionError("groups in groups")
            self._groups.append(self._state)
        elif self._groups:
            self._state = self._groups.pop()

    def _add_bytes(self, data: bytes) -> None:
        skipped = min(self._left_to_skip, len(data))
        self._left_to_skip -= skipped
        if not self._state.silent:
            self._bytes += data[skipped:]

    def _add_text(self, text: str) -> None:
        self._flush()
        if not self._state.silent and not self._state.fonts:
            self._text.append(text)

    def _flush(self) -> None:
        if self._bytes:
            if not self._state.fonts:
                encoding = self._charsets.get(self._state.font, self._encoding)
                self._text.append(self._bytes.decode(encoding, "replace"))
            self._bytes.clear()

    def _word(self, word: str, number: int | None) -> None:
        self._flush()
        starred, self._starred = self._starred, False
        if _SILENT.fullmatch(word) or (starred and word not in ("shpinst", "fonttbl")):
            self.pictures = self.pictures or word in ("pict", "shppict", "object")
            self._state = replace(self._state, silent=True)
        elif word in _CHARACTERS:
            self._add_text(_CHARACTERS[word])
        elif (handle := _WORDS.get(word)) is not None and not self._state.silent:
            handle(self, number)

    # -------------------------------------------------------------- words

    def _unicode(self, number: int | None) -> None:
        unit = (number or 0) & 0xFFFF
        self._add_text(chr(unit))
        self._left_to_skip = self._state.skip

    def _code_page(self, number: int | None) -> None:
        name = "gb18030" if number in (936, None) else f"cp{number}"
        try:
            self._encoding = codecs.lookup(name).name
        except LookupError:
            self._encoding = "gb18030"

    def _font(self, number: int | None) -> None:
        self._state = replace(self._state, font=number or 0)

    def _font_table(self, number: int | None) -> None:
        self._state = replace(self._state, fonts=True)

    def _charset(self, number: int | None) -> None:
        if self._state.fonts and number in _CHARSETS:
            self._charsets[self._state.font] = _CHARSETS[number]

    def _skip(self, number: int | None) -> None:
        self._state = replace(self._state, skip=max(0, number or 0))

    def _plain_paragraph(self, number: int | None) -> None:
        self._state = replace(self._state, in_table=False)

    def _in_table(self, number: int | None) -> None:
        self._state = replace(self._state, in_table=True)

    def _new_row(self, number: int | None) -> None:
        self._row.edges, self._row.continued, self._row.continues = [], [], False

    def _continues(self, number: int | None) -> None:
        self._row.continues = True

    def _edge(self, number: int | None) -> None:
        self._row.edges.append(number or 0)
        self._row.continued.append(self._row.continues)
        self._row.continues = False

    def _paragraph(self, number: int | None) -> None:
        text = self.end_paragraph()
        if self._state.in_table:
            self._row.parts.append(text)
        else:
            self.end_table()
            self._caption = text

    def _cell(self, number: int | None) -> None:
        parts = (*self._row.parts, self.end_paragraph())
        self._row.cells.append(" ".join(filter(None, parts)))
        self._row.parts = []

    def _end_row(self, number: int | None) -> None:
        edges = (min([0, *self._row.edges]), *self._row.edges)
        self._rows.append(EdgedRow(self._row.cells, edges, tuple(self._row.continued)))
        self._row.cells, self._row.parts = [], []

    def end_paragraph(self) -> str:
        """Close the paragraph that is being read and return its text."""
        self._flush()
        text = normalise(whole_characters("".join(self._text)))
        self._text.clear()
        if text:
            self.lines.append(text)
        return text

    def end_table(self) -> None:
        """Close the table that is being read, if there is one."""
        if self._rows:
            caption = self._caption if len(self._caption) <= MAX_CAPTION else ""
            self.tables.add(edged_grid(self._rows, self._budget), caption)
            self._rows = []


_WORDS: dict[str, Callable[[_Reader, int | None], None]] = {
    "u": _Reader._unicode,
    "ansicpg": _Reader._code_page,
    "f": _Reader._font,
    "fonttbl": _Reader._font_table,
    "fcharset": _Reader._charset,
    "uc": _Reader._skip,
    "pard": _Reader._plain_paragraph,
    "intbl": _Reader._in_table,
    "trowd": _Reader._new_row,
    "clvmrg": _Reader._continues,
    "cellx": _Reader._edge,
    "par": _Reader._paragraph,
    "sect": _Reader._paragraph,
    "page": _Reader._paragraph,
    "cell": _Reader._cell,
    "row": _Reader._end_row,
}
