"""What an attached document says (附件): the text and tables of PDF, Word, Excel, OFD, RTF, ZIP and plain-text files.

The format is told by the bytes, never by the name alone. Each format has a module of its own; `reading` knows which
reads what. What cannot be read says so in `state` and, in Chinese, in `detail`: an attachment that we failed to read is
never an attachment without content. All work is measured in sizes and operations, not in seconds, so that the same
bytes always get the same answer.
"""

from checks.facts.attachments.formats import format_of
from checks.facts.attachments.limits import LIMITS, AttachmentLimits
from checks.facts.attachments.reading import read_attachment

__all__ = ["LIMITS", "AttachmentLimits", "format_of", "read_attachment"]
