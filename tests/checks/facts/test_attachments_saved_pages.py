"""Word and Excel files that are HTML: read where they are documents, never where a server's own page came instead."""

from __future__ import annotations

import pytest

from checks.facts.attachments import AttachmentLimits, read_attachment
from checks.facts.model import AttachmentState, OpenAttribute
from checks.facts.tables import MAX_ROWS

OFFICE = '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word">'
META = '<meta http-equiv=Content-Type content="text/html; charset=gb2312">'
ROWS = "<tr><td rowspan=2>社会救助</td><td>低保</td></tr><tr><td>临时救助</td></tr>"


def test_a_word_document_saved_as_html_is_read_in_its_encoding() -> None:
    body = f"{OFFICE}<head>{META}</head><body><p>关于印发方案的通知</p><p>（此件公开发布）</p></body></html>"
    facts = read_attachment(body.encode("gb18030"), name="方案.doc")
    assert (facts.state, facts.text) == (AttachmentState.READ, "关于印发方案的通知\n（此件公开发布）")
    assert [statement.value for statement in facts.attributes] == [OpenAttribute.ACTIVE]


@pytest.mark.parametrize("name", ["目录.xls", "目录.et", "目录.XLS"])
def test_a_table_exported_under_a_spreadsheets_name_is_read_with_its_merged_cells(name: str) -> None:
    facts = read_attachment(f"<html><head>{META}</head><body><table>{ROWS}</table></body></html>".encode(), name=name)
    assert facts.state is AttachmentState.READ
    assert [table.rows for table in facts.tables] == [(("社会救助", "低保"), ("社会救助", "临时救助"))]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("方案.doc", "<html><body><p>您访问的页面不存在</p></body></html>"),
        ("方案.doc", f"<html><body><table>{ROWS}</table></body></html>"),
        ("目录.xls", f"<html><body><form><table>{ROWS}</table></form></body></html>"),
        ("目录.xls", f"<html><body><a href=/>首页</a><table>{ROWS}</table></body></html>"),
        ("目录.xls", "<html><script>location='/login'</script><table></table></html>"),
        ("方案.pdf", f"{OFFICE}<body><p>关于印发方案的通知</p></body></html>"),
    ],
)
def test_a_servers_own_page_is_no_file(name: str, body: str) -> None:
    assert read_attachment(body.encode(), name=name).state is AttachmentState.UNSUPPORTED


def test_what_would_be_read_in_part_is_refused() -> None:
    rows = "<tr><td>甲</td><td>乙</td></tr>"
    whole = f"<html><body><table>{rows * MAX_ROWS}</table></body></html>".encode()
    assert read_attachment(whole, name="目录.xls").state is AttachmentState.READ
    assert read_attachment(whole.replace(b"<table>", b"<table><tr>"), name="a.xls").state is AttachmentState.TOO_LARGE
    limits = AttachmentLimits(markup=100)
    assert read_attachment(whole, name="目录.xls", limits=limits).state is AttachmentState.TOO_LARGE
