"""Names of files: what a unit or a person is called never decides where a file goes or whether it can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspection.writing import in_file_name, write_whole


@pytest.mark.parametrize("hostile", ["../../etc/x", "..", "局\u202excod.", "a\x1b[2J\n", "局" * 300, "C:\\x", "\udcff"])
def test_any_name_becomes_a_part_of_a_file_name(tmp_path: Path, hostile: str) -> None:
    path = write_whole(tmp_path / f"整改通知单-{in_file_name(hostile)}-2026-11-23.docx", b"x")
    assert [path] == [*tmp_path.iterdir()]
    assert path.name.isprintable()
