"""共享证据文件夹: that the evidence folder here is the one the main machine reads, and that locks hold across machines.

The main machine leaves a token in the folder and holds a lock on its file while it waits for workers. A worker that
reads another token, or none, writes to a folder that nobody judges by. One that could take the lock might take a file
that is being written for one that a dead process left, and cut it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distribution.errors import EvidenceNotShared
from inspection.errors import RunInProgress
from storage.errors import EvidenceUnwritable

FILE = "distribution.token"
LARGEST = 100  # bytes


@contextmanager
def offered(evidence: Path, token: str) -> Iterator[None]:
    """Let workers see, for the length of a block, that this folder is the one; raises RunInProgress and
    EvidenceUnwritable."""
    try:
        evidence.mkdir(parents=True, exist_ok=True)
        file = (evidence / FILE).open("r+" if (evidence / FILE).exists() else "w+", encoding="ascii")
    except OSError as error:
        raise EvidenceUnwritable(f"证据文件夹无法写入：{error.filename or error.strerror}。") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunInProgress("另一次多机巡查正在使用这个证据文件夹；等它结束再开始。") from error
        file.truncate()
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
        yield


def require_same(evidence: Path, token: str) -> None:
    """Raise EvidenceNotShared unless the folder is the one that the main machine offered under that token."""
    try:
        with (evidence / FILE).open("rb") as file:
            found = file.read(LARGEST)
    except OSError as error:
        raise EvidenceNotShared(
            f"{evidence} 不是主机的证据文件夹（读不到 {FILE}：{error.strerror}）；"
            "请把主机的证据文件夹共享过来，挂载到这里，再启动。"
        ) from error
    if found != token.encode("ascii"):
        raise EvidenceNotShared(f"{evidence} 是另一处的证据文件夹；请挂载这个数据库所属主机的证据文件夹，再启动。")


def require_offered(evidence: Path, token: str) -> None:
    """Raise EvidenceNotShared unless the folder is the one, and the main machine is seen to hold its lock."""
    require_same(evidence, token)
    with (evidence / FILE).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    raise EvidenceNotShared(
        f"看不到主机对 {evidence} 加的锁：主机上的巡查已经停止，或者共享文件夹没有启用跨机器的文件锁"
        "（NFS 请用第 4 版，不要加 nolock、local_lock）；任务已退回，稍后再试。"
    )
