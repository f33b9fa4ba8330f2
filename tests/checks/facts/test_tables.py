"""Tables as grids: merged cells filled, layout left out, size bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checks.facts.dom import parse
from checks.facts.model import Link, Table
from checks.facts.tables import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Cell, filled_grid, read_tables
from tests.checks.facts.fixture_pages import page_of


def tables_of(markup: str) -> tuple[Table, ...]:
    return read_tables(page_of(markup))


def test_fills_merged_cells_and_keeps_a_head_of_two_rows() -> None:
    (table,) = tables_of(
        """<p>安全生产领域公开目录</p><table>
        <tr><th rowspan=2>序号</th><th colspan=2>公开事项</th><th colspan=2>公开方式</th></tr>
        <tr><th>一级</th><th>二级</th><th>主动</th><th>依申请</th></tr>
        <tr><td>1</td><td rowspan=2>许可</td><td>审批<br>结果</td><td>√</td><td></td></tr>
        <tr><td>2</td><td>变更</td><td></td><td><p>√</p></td></tr></table>"""
    )
    assert table.caption == "安全生产领域公开目录"
    assert table.rows == (
        ("序号", "公开事项", "公开事项", "公开方式", "公开方式"),
        ("序号", "一级", "二级", "主动", "依申请"),
        ("1", "许可", "审批 结果", "√", ""),
        ("2", "许可", "变更", "", "√"),
    )


def test_a_caption_element_names_the_table() -> None:
    markup = "<p>甲</p><table><caption>乙</caption><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>"
    assert tables_of(markup)[0].caption == "乙"


def test_a_long_line_above_is_no_caption() -> None:
    markup = f"<p>{'长' * 81}</p><table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>"
    assert tables_of(markup)[0].caption == ""


def test_layout_is_left_out_and_the_table_in_it_kept() -> None:
    inner = "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>"
    assert [
        t.rows
        for t in tables_of(f"<table><tr><td>菜单</td><td>{inner}</td></tr><tr><td>甲</td><td>乙</td></tr></table>")
    ] == [(("1", "2"), ("3", "4"))]


def test_a_frame_around_text_is_no_data() -> None:
    assert tables_of("<table><tr><td>左栏</td><td>正文</td></tr></table>") == ()
    assert tables_of("<table><tr><td>一段</td></tr><tr><td>又一段</td></tr></table>") == ()
    assert tables_of("<p>没有表格</p>") == ()


def test_absurd_spans_are_cut_off() -> None:
    (table,) = tables_of(
        "<table><tr><td colspan=99999>甲</td><td>乙</td></tr>"
        "<tr><td rowspan=99999>丙</td><td>丁</td></tr><tr><td>戊</td></tr></table>"
    )
    assert {len(row) for row in table.rows} == {MAX_COLUMNS}
    assert len(table.rows) == 3
    assert table.rows[2][:2] == ("丙", "戊")


def test_senseless_spans_count_as_one() -> None:
    (table,) = tables_of(
        "<table><tr><td colspan=x>1</td><td rowspan=-3>2</td></tr><tr><td colspan=0>3</td><td>4</td></tr></table>"
    )
    assert table.rows == (("1", "2"), ("3", "4"))


def test_all_tables_of_a_page_share_one_limit() -> None:
    rows = "<tr><td>1</td><td colspan=99>2</td></tr>" * 400
    tables = tables_of(f"<table>{rows}</table>" * 5)
    assert sum(len(table.rows) * len(table.rows[0]) for table in tables) <= MAX_CELLS


CELLS = st.builds(Cell, st.text(max_size=3), st.integers(1, 10**6), st.integers(1, 10**6))


@given(st.lists(st.lists(CELLS, max_size=6), max_size=8), st.integers(1, 6), st.integers(1, 6), st.integers(1, 40))
def test_grids_are_rectangles_within_their_limits(
    rows: list[list[Cell]], max_rows: int, max_columns: int, max_cells: int
) -> None:
    grid = filled_grid(rows, max_rows=max_rows, max_columns=max_columns, max_cells=max_cells)
    assert len(grid) <= min(max_rows, len(rows))
    assert len({len(row) for row in grid}) <= 1
    assert sum(map(len, grid)) <= max_cells
    assert all(len(row) <= max_columns for row in grid)


@given(st.lists(st.lists(st.text(max_size=3), min_size=3, max_size=3), max_size=6))
def test_a_table_without_merged_cells_stays_as_it_is(rows: list[list[str]]) -> None:
    assert filled_grid([[Cell(text) for text in row] for row in rows]) == tuple(map(tuple, rows))


@given(st.binary(max_size=300))
def test_any_bytes_are_read(body: bytes) -> None:
    for table in read_tables(parse(b"<table><tr><td>" + body)):
        assert len(table.rows) <= MAX_ROWS


def test_links_in_cells_are_told() -> None:
    markup = (
        "<table><tr><th>事项<th>内容<tr><td>学区<td><a href='1.html'>方案</a><tr><td>招生<td><a href='#'>无</a></table>"
    )
    (table,) = read_tables(parse(markup.encode(), url="http://www.yunxi.example/bz/"))
    assert table.links == (Link("http://www.yunxi.example/bz/1.html", "方案"),)
