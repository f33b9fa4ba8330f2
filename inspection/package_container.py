"""审计包的外壳: a ZIP of a stranger's, walked byte by byte and bounded; nothing is unpacked to the disk.

Every byte has a place: the members one after the other from the first byte, their directory, its end. What stands twice
must be the same twice.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.errors import InspectionError
from inspection.package import FOLDER
from inspection.verification import Step
from reports.entry_names import entry_of, name_of

MOST_MEMBERS = 200_000
MOST_TEXT = 100_000_000  # bytes of a member that is read as a whole
_PIECE = 1 << 20
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_FULL = 0xFFFFFFFF
_UTF8 = 0x800
_NAME = re.compile(r"(?!/)(?!.*(?:^|/)\.\.?(?:/|$))[^\\\x00-\x1f:]{1,500}")
DATAPACKAGE, DATAPACKAGE_DIGEST = "datapackage.json", "datapackage-digest.json"


class NotAPackage(InspectionError):
    """The file is none that `inspect evidence export` wrote: name the right one."""


class Unreadable(Exception):
    """Something inside cannot be read; the message says what, in Chinese."""


class _Cut(Exception):
    """The walk ends here: position, the member it ends in, what is wrong."""

    def __init__(self, position: int, name: str, what: str) -> None:
        self.position, self.name, self.what = position, name, what


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the ZIP: where its header begins, where its bytes lie; `header` is what the directory repeats."""

    name: str
    header_at: int
    begin: int
    size: int
    crc: int
    header: tuple[int, ...]

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.begin + self.size


@dataclass(frozen=True, slots=True)
class Container:
    """The members of a package, by name."""

    data: mmap.mmap
    members: Mapping[str, Member]

    def names(self, folder: str) -> list[str]:
        """Return the names below a folder, relative to it, in order."""
        return sorted(name.removeprefix(folder) for name in self.members if name.startswith(folder))

    def read(self, name: str, most: int = MOST_TEXT) -> bytes:
        """Return a member's bytes; raises Unreadable when it is not there, or too large to be what it should."""
        member = self.members.get(name)
        if member is None:
            raise Unreadable(f"包里没有 {name}")
        if member.size > most:
            raise Unreadable(f"{name} 有 {member.size} 字节，大得不合情理")
        return self.data[member.begin : member.end]

    def document(self, name: str) -> Any:
        """Return a member as JSON; raises Unreadable."""
        try:
            return json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{name} 不是可读的 JSON") from error

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Yield a member's bytes piece by piece."""
        for begin in range(member.begin, member.end, _PIECE):
            yield self.data[begin : min(begin + _PIECE, member.end)]


@contextmanager
def opened_container(path: Path, step: Step) -> Iterator[Container]:
    """Yield what a package holds, having told `step` of all that is wrong with the ZIP itself; raises NotAPackage."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:4] != b"PK\x03\x04":
                raise NotAPackage(
                    f"{path} 不是审计包（不是 ZIP 文件）；应是 inspect evidence export 导出的 WACZ 文件。"
                )
            yield _walked(data, step)
    except (OSError, ValueError) as error:
        raise NotAPackage(f"读不到文件 {path}（为空，或不是文件）；请检查路径和权限。") from error


def _walked(data: mmap.mmap, step: Step) -> Container:
    members: dict[str, Member] = {}
    container = Container(data, members)
    try:
        end = _walk(data, members)
        _directory(data, end, members)
    except _Cut as cut:
        inside = f"，在 {cut.name} 里" if cut.name else ""
        step.differs(f"文件第 {cut.position} 字节{inside}", cut.what)
    for member in members.values():
        crc = 0
        for piece in container.pieces(member):
            crc = zlib.crc32(piece, crc)
        if crc != member.crc:
            step.differs(f"{member.name}（文件第 {member.begin}–{member.end} 字节）", "内容被改动（CRC 不符）")
    step.told = f"{len(members)} 个文件，{len(data)} 字节"
    return container


def _walk(data: mmap.mmap, members: dict[str, Member]) -> int:
    """Find every member from the first byte on; returns where the directory begins. Raises _Cut."""
    position, last = 0, ""
    while data[position : position + 4] == b"PK\x03\x04":
        member = _member_at(data, position)
        if member.name in members:
            raise _Cut(position, member.name, "同名的文件有两个")
        if len(members) >= MOST_MEMBERS:
            raise _Cut(position, member.name, "文件多得不合情理")
        if member.end > len(data):
            raise _Cut(len(data), member.name, f"文件不完整：应到第 {member.end} 字节，断在这里")
        members[member.name] = member
        position, last = member.end, member.name
    if position >= len(data):
        raise _Cut(position, "", f"文件不完整：{last} 之后应有文件目录，断在这里")
    return position


def _member_at(data: mmap.mmap, position: int) -> Member:
    begin = position + _LOCAL.size
    if begin > len(data):
        raise _Cut(len(data), "", "文件不完整：断在文件头里")
    _, version, flags, method, time, day, crc, packed, size, name_length, extra_length = _LOCAL.unpack(
        data[position:begin]
    )
    if begin + name_length + extra_length > len(data):
        raise _Cut(len(data), "", "文件不完整：断在文件头里")
    name = _name(data[begin : begin + name_length], position)
    extra = data[begin + name_length : begin + name_length + extra_length]
    if flags & ~_UTF8 or method:
        raise _Cut(position, name, "不是审计包的写法：文件被压缩或加密")
    if _FULL in (packed, size):
        size, packed = _wide(extra, position, name, 2)
    elif extra:
        raise _Cut(position, name, "不是审计包的写法：文件头里有附加内容")
    if packed != size:
        raise _Cut(position, name, "文件头里的两个长度不一致")
    header = (version, flags, method, time, day, crc)
    return Member(name, position, begin + name_length + extra_length, size, crc, header)


def _name(raw: bytes, position: int) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = ""
    if not _NAME.fullmatch(name) or entry_of(name_of(name)) != name:
        raise _Cut(position, "", "文件名不合规定")
    return name_of(name)


def _wide(extra: bytes, position: int, name: str, count: int) -> tuple[int, ...]:
    """Return the 64-bit numbers of an extra field (ZIP64)."""
    if len(extra) != 4 + 8 * count or extra[:4] != struct.pack("<2H", 1, 8 * count):
        raise _Cut(position, name, "文件头里的长度无法读取")
    return struct.unpack(f"<{count}Q", extra[4:])


# ---------------------------------------------------------------- the directory at the end


def _directory(data: mmap.mmap, position: int, members: Mapping[str, Member]) -> None:
    """Raise _Cut unless the directory says what the members' own headers say, and the file ends after it."""
    begin = position
    for member in members.values():
        position = _entry(data, position, member)
    size = position - begin
    if data[position : position + 4] == b"PK\x06\x06":
        position = _wide_end(data, position, (len(members), size, begin))
        expected = None
    else:
        expected = (0, 0, len(members), len(members), size, begin, 0)
    if position + _END.size > len(data):
        raise _Cut(len(data), "", "文件不完整：断在文件目录的结尾")
    _, *end = _END.unpack(data[position : position + _END.size])
    signed = data[position : position + 4] == b"PK\x05\x06"
    if not signed or (expected is not None and tuple(end) != expected) or end[6]:
        raise _Cut(position, "", "文件目录的结尾与内容不符")
    if position + _END.size != len(data):
        raise _Cut(position + _END.size, "", "文件结尾之后还有内容")


def _entry(data: mmap.mmap, position: int, member: Member) -> int:
    if position + _CENTRAL.size > len(data):
        raise _Cut(len(data), "", "文件不完整：断在文件目录里")
    fields = _CENTRAL.unpack(data[position : position + _CENTRAL.size])
    signature, header, (packed, size) = fields[0], fields[2:8], fields[8:10]
    name_length, extra_length, comment, disk, internal, _, header_at = fields[10:]
    after = position + _CENTRAL.size + name_length + extra_length
    name = data[position + _CENTRAL.size : position + _CENTRAL.size + name_length]
    if extra_length:
        values = iter(_wide(data[after - extra_length : after], position, member.name, (extra_length - 4) // 8))
        size, packed, header_at = (next(values, -1) if value == _FULL else value for value in (size, packed, header_at))
    same = (signature, name, header, packed, size, header_at, comment, disk, internal) == (
        b"PK\x01\x02",
        entry_of(member.name).encode(),
        member.header,
        member.size,
        member.size,
        member.header_at,
        0,
        0,
        0,
    )
    if not same:
        raise _Cut(position, member.name, "文件目录与文件头不一致")
    return after


def _wide_end(data: mmap.mmap, position: int, expected: tuple[int, int, int]) -> int:
    after = position + _END64.size + _LOCATOR.size
    if after > len(data):
        raise _Cut(len(data), "", "文件不完整：断在文件目录的结尾")
    end = _END64.unpack(data[position : position + _END64.size])
    locator = _LOCATOR.unpack(data[position + _END64.size : after])
    count, size, begin = expected
    if end[1] != _END64.size - 12 or end[4:] != (0, 0, count, count, size, begin):
        raise _Cut(position, "", "文件目录的结尾与内容不符")
    if locator != (b"PK\x06\x07", 0, position, 1):
        raise _Cut(position + _END64.size, "", "文件目录的结尾与内容不符")
    return after


# ---------------------------------------------------------------- the digests that the format asks for


def check_datapackage(container: Container, step: Step) -> None:
    """Tell `step` what of the package is not as its datapackage.json says."""
    try:
        named = _resources(container.document(DATAPACKAGE))
        content = container.read(DATAPACKAGE)
        stated = container.document(DATAPACKAGE_DIGEST)
    except Unreadable as error:
        step.differs(DATAPACKAGE, str(error))
        return
    if stated != {"path": DATAPACKAGE, "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}:
        step.differs(DATAPACKAGE, f"与 {DATAPACKAGE_DIGEST} 里的摘要不符")
    there = {name for name in container.members if name not in (DATAPACKAGE, DATAPACKAGE_DIGEST)}
    for name in sorted(there | named.keys()):
        if name not in there:
            step.differs(name, "文件不见了")
        elif name not in named:
            step.differs(name, f"{DATAPACKAGE} 里没有的文件")
        elif _digest(container, name) != named[name]:
            step.differs(name, f"内容与 {DATAPACKAGE} 里的摘要不符")
    step.told = f"{len(named)} 个文件的 SHA-256"


def _resources(document: Any) -> dict[str, tuple[int, str]]:
    try:
        listed = [(name_of(each["path"]), (each["bytes"], each["hash"])) for each in document["resources"]]
        named = dict(listed)
    except (LookupError, TypeError, AttributeError) as error:
        raise Unreadable("列出的文件无法读取") from error
    if len(named) != len(listed) or not all(isinstance(name, str) for name in named):
        raise Unreadable("列出的文件有重复或不合规定")
    return named


def _digest(container: Container, name: str) -> tuple[int, str]:
    member, digest = container.members[name], hashlib.sha256()
    for piece in container.pieces(member):
        digest.update(piece)
    return member.size, f"sha256:{digest.hexdigest()}"


def path_in(*parts: object) -> str:
    """Return the name of a member of our own folder."""
    return "/".join(map(str, (FOLDER, *parts)))
