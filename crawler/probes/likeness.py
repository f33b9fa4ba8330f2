"""How alike two pages are, by the pieces of text that they share."""

from __future__ import annotations

import hashlib
import heapq

import lxml.etree
import lxml.html

_PIECE = 8  # characters of visible text that make one piece
_MOST_PIECES = 400  # a page is represented by the pieces with the smallest digests


def shingles(body: bytes, content_type: str) -> list[str]:
    """Return digests of the pieces of a page's visible text, sorted: at most 400, the same ones for the same text.

    The share of pieces that two pages have in common tells how alike they are, whatever their order.
    """
    if not body or not ("html" in content_type or b"<html" in body[:2048].lower()):
        return []
    text = _visible_text(body)
    pieces = {text[i : i + _PIECE] for i in range(max(len(text) - _PIECE + 1, 1 if text else 0))}
    found = (hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=6).hexdigest() for piece in pieces)
    return heapq.nsmallest(_MOST_PIECES, found)


def _visible_text(body: bytes) -> str:
    try:
        tree = lxml.html.document_fromstring(body)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError, ValueError):
        return ""
    for element in list(tree.iter("script", "style", "noscript", lxml.etree.Comment)):
        element.drop_tree()
    return "".join(tree.text_content().split())
