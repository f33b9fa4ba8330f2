"""PDF: the text layer, page by page; pages that are pictures make the file a scan."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from checks.facts.attachments.content import Content, hardly_a_word
from checks.facts.attachments.limits import Budget, UnreadableAttachmentError
from checks.facts.model import AttachmentState

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a file stands in `detail`

# How many operations pypdf's work equals: on an operator, on one that shows text, on an entry of a font's map.
OPERATOR_COST, SHOWING_COST, GLYPH_COST = 4, 20, 4
MAX_GLYPHS = 100_000  # entries of a font's map, where pypdf itself gives up


def read_pdf(body: bytes, budget: Budget) -> Content:
    """Return the pages' text; raises SCANNED if one page is a picture: what it says, the others cannot tell."""
    reader = pypdf.PdfReader(io.BytesIO(body))
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "PDF 有密码保护")
    count = len(reader.pages)
    budget.spend("pages", count)
    costs = _Costs(budget)
    texts: list[str] = []
    scanned: list[int] = []
    for number, page in enumerate(reader.pages, 1):
        text = costs.text_of(page)
        texts.append(text)
        if _is_scanned(page, text):
            scanned.append(number)
    if scanned or not any(text.strip() for text in texts):
        raise UnreadableAttachmentError(AttachmentState.SCANNED, _scanned_detail(scanned, count))
    return Content("\n".join(texts))


def _scanned_detail(scanned: list[int], count: int) -> str:
    if not scanned or len(scanned) == count:
        return "扫描件或图片，没有可读的文字"
    pages = "、".join(str(number) for number in scanned[:10])
    return f"共 {count} 页，第 {pages} 页{'等' if len(scanned) > 10 else ''}是图片或没有可读的文字"


_LEGIBLE = re.compile(r"[\u2000-\u206f\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\x20-\x7e\s·■□√☑○●①-⑳]")


def _is_scanned(page: pypdf.PageObject, text: str) -> bool:
    """A picture with hardly a word but a page number, or text in a font that hides which letters it shows."""
    if len(_LEGIBLE.findall(text)) < 0.5 * len(text):
        return True
    return hardly_a_word(text) and next(_entries(_resources(page), "/XObject"), None) is not None


# ---------------------------------------------------------------- work


class _Costs:
    """Spends, before pypdf works on a page, what its fonts and forms will cost; pypdf parses both anew at every use."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._fonts: dict[int, int] = {}
        self._held: list[Any] = []  # what the numbers in `_fonts` belong to must live as long

    def text_of(self, page: pypdf.PageObject) -> str:
        """Return the text of the page; raises UnreadableAttachmentError when reading it costs too much."""
        contents = page.get_contents()
        self._budget.spend("contents", len(contents.get_data()) if contents is not None else 0)
        resources = _resources(page)
        self._budget.spend("operations", self._fonts_cost(resources))
        form_cost = self._form_cost(resources)

        def count(operator: bytes, operands: Any, *matrices: Any) -> None:
            self._budget.spend("operations", form_cost if operator == b"Do" else _operator_cost(operator, operands))

        text = page.extract_text(visitor_operand_before=count)
        self._budget.spend("operations", 0)  # an error raised within a form goes no further than the form
        return text

    def _fonts_cost(self, resources: Mapping[str, Any]) -> int:
        return sum(self._font_cost(font) for font in _entries(resources, "/Font"))

    def _font_cost(self, font: DictionaryObject) -> int:
        if id(font) not in self._fonts:
            self._held.append(font)
            self._fonts[id(font)] = GLYPH_COST * (_glyphs(font, self._budget) + _widths(font))
        return 1 + self._fonts[id(font)]

    def _form_cost(self, resources: Mapping[str, Any]) -> int:
        """The cost of the dearest form that the page may draw, directly or within another."""
        dearest = OPERATOR_COST
        seen: set[int] = set()
        waiting = [resources]
        while waiting:
            for drawn in _entries(waiting.pop(), "/XObject"):
                self._budget.spend("operations")
                if id(drawn) in seen or not isinstance(drawn, StreamObject) or drawn.get("/Subtype") == "/Image":
                    continue
                seen.add(id(drawn))
                self._held.append(drawn)
                size = len(drawn.get_data())
                self._budget.spend("contents", size)
                inner = _resources(drawn)
                dearest = max(dearest, size + self._fonts_cost(inner))
                waiting.append(inner)
        return dearest


def _operator_cost(operator: bytes, operands: Any) -> int:
    if operator == b"TJ" and operands:
        return SHOWING_COST * max(1, len(_array(operands[0])))
    return SHOWING_COST if operator in (b"Tj", b"'", b'"') else OPERATOR_COST


def _resources(holder: DictionaryObject) -> Mapping[str, Any]:
    found = holder.get("/Resources")
    found = found.get_object() if found is not None else None
    return found if isinstance(found, DictionaryObject) else {}


def _entries(resources: Mapping[str, Any], kind: str) -> Iterator[DictionaryObject]:
    held = resources.get(kind)
    held = held.get_object() if held is not None else None
    for value in held.values() if isinstance(held, DictionaryObject) else ():
        entry = value.get_object()
        if isinstance(entry, DictionaryObject):
            yield entry


_TOKEN = re.compile(rb"<[^<>]*>|[^\s<>\[\]]+")
_SECTION = re.compile(rb"beginbfrange|endbfrange")


def _glyphs(font: DictionaryObject, budget: Budget) -> int:
    """How many entries the font's map to Unicode has, ranges counted out, at most MAX_GLYPHS and some."""
    stream = font.get("/ToUnicode")
    stream = stream.get_object() if stream is not None else None
    if not isinstance(stream, StreamObject):
        return 0
    data = stream.get_data()
    budget.spend("contents", len(data))
    glyphs = len(data) // 12
    for section in _SECTION.split(data)[1::2]:
        for line in re.split(rb"[\r\n\]]", section):
            glyphs += _range_length(_TOKEN.findall(line)[:2])
            if glyphs > MAX_GLYPHS:
                return glyphs
    return glyphs


def _range_length(tokens: list[bytes]) -> int:
    try:
        first, last = (int(b"".join(token.strip(b"<>").split()), 16) for token in tokens)
    except ValueError:
        return 0
    return min(MAX_GLYPHS, max(0, last - first + 1))


def _widths(font: DictionaryObject) -> int:
    """A measure of the font's widths: how many numbers are written, and the characters that ranges cover."""
    total = 0
    for descendant in _array(font.get("/DescendantFonts")):
        held = descendant.get_object()
        widths = _array(held.get("/W")) if isinstance(held, DictionaryObject) else []
        total += len(widths) + sum(len(_array(entry)) for entry in widths)
        numbers = [entry if isinstance(entry, int) else 0 for entry in widths]
        total += sum(max(0, last - first) for first, last in pairwise(numbers) if first and last)
    return min(total, MAX_GLYPHS) // 16


def _array(value: Any) -> list[Any]:
    found = value.get_object() if value is not None else None
    return found if isinstance(found, ArrayObject) else []
