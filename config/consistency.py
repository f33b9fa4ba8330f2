"""What the schema cannot see: whether the entries of the three files fit together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.names import normalised
from config.problem import Problem
from config.rules import IPV6_ITEMS, CheckRules, Rules
from config.schema import Binding, Column, ColumnTemplate, Indicator, Indicators, Inventory, PaceHours, Unit, UnitKind
from config.words import Words

CHECKS = frozenset(CheckRules.model_fields)
KIND_NAMES = {UnitKind.TOWNSHIP: "乡镇", UnitKind.DEPARTMENT: "部门"}


def inventory_problems(inventory: Inventory, rules: Rules | None, file: str) -> Iterator[Problem]:
    """Yield what does not fit in sites.toml; catalogue fields are looked up in the rules, if those could be read."""
    yield from _repeated(file, "site", [site.id for site in inventory.sites])
    yield from _repeated(file, "duty", [duty.id for duty in inventory.duties])
    yield from _repeated(file, "column_template", [column.id for column in inventory.column_templates])
    yield from _repeated(file, "unit", [unit.id for unit in inventory.units])
    yield from _repeated_names(inventory, file)
    yield from _time_zone(inventory, file)
    yield from _paces(inventory.crawl.pace, "crawl.pace", file)
    for number, site in enumerate(inventory.sites):
        yield from _paces(site.pace or (), f"site[{number}].pace", file)
    yield from _template_sites(inventory, file)
    known = _Known(
        sites=frozenset(site.id for site in inventory.sites),
        duties=frozenset(duty.id for duty in inventory.duties),
        templates={template.id: template for template in inventory.column_templates},
        fields=rules.checks.standard_catalog.fields if rules else None,
    )
    for number, unit in enumerate(inventory.units):
        yield from _unit_problems(unit, f"unit[{number}]", known, file)


def rules_problems(rules: Rules, file: str) -> Iterator[Problem]:
    """Yield what does not fit in rules.toml."""
    yield from _repeated(file, "veto", [veto.id for veto in rules.vetoes])
    if rules.confirmation.seen > rules.confirmation.nights:
        message = f"{rules.confirmation.nights} 夜里不可能看到 {rules.confirmation.seen} 次"
        yield Problem(file, "confirmation.seen", message, "把 seen 改成不大于 nights 的数")
    for item in rules.checks.ipv6.item_weights:
        yield from _unknown(file, f"checks.ipv6.item_weights.{item}", "IPv6 检查项", [item], IPV6_ITEMS)
    for number, veto in enumerate(rules.vetoes):
        yield from _unknown(file, f"veto[{number}].check", "检查", [veto.check], CHECKS)


def words_problems(words: Words, file: str) -> Iterator[Problem]:
    """Yield what does not fit in words.toml: a spelling told twice, or one that the right wording holds as well."""
    owners: dict[str, int] = {}
    for number, expression in enumerate(words.expressions):
        path = f"expression[{number}].wrong"
        for wrong in expression.wrong:
            first = owners.setdefault(wrong, number)
            if first != number:
                yield Problem(file, path, f"“{wrong}”已经写在 expression[{first}] 里", "删去其中一个")
            if wrong in expression.right and not any(word in expression.right for word in expression.unless):
                message = f"正确写法“{expression.right}”里就有“{wrong}”，改对了还会被认作错"
                yield Problem(file, path, message, f"在 unless 里添上“{expression.right}”")


def indicator_problems(indicators: Indicators, inventory: Inventory | None, file: str) -> Iterator[Problem]:
    """Yield what does not fit in indicators.toml; units and duties are looked up in the inventory, if that was read."""
    yield from _repeated(file, "indicator", [indicator.id for indicator in indicators.indicators])
    yield from _sums(indicators, file)
    for number, indicator in enumerate(indicators.indicators):
        path = f"indicator[{number}]"
        yield from _binding_problems(indicator, path, file)
        yield from _circular_problems(indicator, path, file)
        if inventory is not None:
            yield from _bearer_problems(indicator, path, inventory, file)


def _repeated(file: str, table: str, ids: Sequence[str]) -> Iterator[Problem]:
    places: dict[str, int] = {}
    for number, identifier in enumerate(ids):
        first = places.setdefault(identifier, number)
        if first != number:
            message = f"id“{identifier}”与 {table}[{first}] 重复"
            yield Problem(file, f"{table}[{number}].id", message, "给其中一个换一个 id")


def _repeated_names(inventory: Inventory, file: str) -> Iterator[Problem]:
    owners: dict[str, Unit] = {}
    for number, unit in enumerate(inventory.units):
        for name in unit.names:
            owner = owners.setdefault(normalised(name), unit)
            if owner is not unit:
                message = f"“{unit.name}”的名称或别名“{name}”已经属于“{owner.name}”"
                yield Problem(file, f"unit[{number}].aliases", message, "从其中一个单位删去它，免得张冠李戴")


def _time_zone(inventory: Inventory, file: str) -> Iterator[Problem]:
    try:
        ZoneInfo(inventory.district.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"没有“{inventory.district.timezone}”这个时区"
        yield Problem(file, "district.timezone", message, "写 Asia/Shanghai")


def _paces(paces: Sequence[PaceHours], path: str, file: str) -> Iterator[Problem]:
    for number, hours in enumerate(paces):
        if hours.begin == hours.end:
            yield Problem(
                file,
                f"{path}[{number}]",
                f"从 {hours.begin:%H:%M} 到 {hours.end:%H:%M} 没有长短",
                "改正 from 或 to；全天同一步调写 requests_per_second",
            )
        for earlier in paces[:number]:
            if earlier.holds(hours.begin) or hours.holds(earlier.begin):
                message = f"{hours.begin:%H:%M}—{hours.end:%H:%M} 与 {earlier.begin:%H:%M}—{earlier.end:%H:%M} 重叠"
                yield Problem(file, f"{path}[{number}]", message, "让各个时段互不重叠")


def _template_sites(inventory: Inventory, file: str) -> Iterator[Problem]:
    sites = [site.id for site in inventory.sites]
    for number, template in enumerate(inventory.column_templates):
        yield from _unknown(file, f"column_template[{number}].site", "站点", [template.site], sites)
        duties = [duty.id for duty in inventory.duties]
        yield from _unknown(file, f"column_template[{number}].duties", "职责", template.duties, duties)


class _Known(NamedTuple):
    """What the entries of units may refer to; `fields` is None when the rules could not be read."""

    sites: frozenset[str]
    duties: frozenset[str]
    templates: Mapping[str, ColumnTemplate]
    fields: Collection[str] | None


def _unit_problems(unit: Unit, path: str, known: _Known, file: str) -> Iterator[Problem]:
    yield from _unknown(file, f"{path}.duties", "职责", unit.duties, known.duties)
    yield from _unknown(file, f"{path}.without_columns", "栏目样板", unit.without_columns, known.templates)
    if known.fields is not None:
        yield from _unknown(file, f"{path}.catalog_fields", "试点领域", unit.catalog_fields, known.fields)
    yield from _repeated(file, f"{path}.column", [column.id for column in unit.columns])
    for number, column in enumerate(unit.columns):
        template = known.templates.get(column.id)
        if template is None or template.site != column.site:  # else the template has been told already
            yield from _unknown(file, f"{path}.column[{number}].site", "站点", [column.site], known.sites)
        yield from _column_state(column, f"{path}.column[{number}]", file)


def _column_state(column: Column, path: str, file: str) -> Iterator[Problem]:
    """A column is either nowhere known, or confirmed at an address, or absent: half a statement is a mistake."""
    if column.confirmed and column.url is None:
        fix = "请补上 url；如果确实没有这个栏目，改写 absent = true"
        yield Problem(file, path, f"栏目“{column.name}”写了 confirmed = true 却没有地址", fix)
    if column.absent and (column.url or column.confirmed):
        fix = "有这个栏目就删去 absent；没有就删去 url 和 confirmed"
        yield Problem(file, path, f"栏目“{column.name}”既写 absent = true 又写了地址或 confirmed", fix)


def _binding_problems(indicator: Indicator, path: str, file: str) -> Iterator[Problem]:
    for number, binding in enumerate(indicator.checks):
        place = f"{path}.check[{number}].check"
        yield from _unknown(file, place, "检查", [binding.check], CHECKS)
        if any(_overlap(binding, other) for other in indicator.checks[:number]):
            message = f"指标 {indicator.id} 把检查“{binding.check}”写了两遍"
            yield Problem(file, place, message, "删去其中一个，或用 items 让两处各取不同的部分")
    if not indicator.checks and not indicator.pending:
        message = f"指标 {indicator.id} 既没有检查，也没有说明原因"
        yield Problem(file, path, message, "添上 [[indicator.check]]，或用 pending 写明为何没有、由谁评分")


def _circular_problems(indicator: Indicator, path: str, file: str) -> Iterator[Problem]:
    if indicator.circular_deduction is not None and indicator.circular_deduction > indicator.points:
        message = f"指标 {indicator.id} 被通报一次扣的分比满分 {indicator.points} 还多"
        yield Problem(file, f"{path}.circular_deduction", message, "核对 circular_deduction 和 points")


def _overlap(one: Binding, other: Binding) -> bool:
    """Whether two bindings could take the same finding: a binding without items takes all of its check."""
    pairs = ((a, b) for a in one.items or ("",) for b in other.items or ("",))
    return one.check == other.check and any(a.startswith(b) or b.startswith(a) for a, b in pairs)


def _bearer_problems(indicator: Indicator, path: str, inventory: Inventory, file: str) -> Iterator[Problem]:
    units = {unit.id: unit for unit in inventory.units}
    duties = [duty.id for duty in inventory.duties]
    yield from _unknown(file, f"{path}.units", "单位", indicator.units, units)
    yield from _unknown(file, f"{path}.duty", "职责", [indicator.duty] if indicator.duty else [], duties)
    for unit in (units[name] for name in indicator.units if name in units):
        if unit.kind not in indicator.kinds:
            message = f"指标 {indicator.id} 点名“{unit.name}”，却不评定{KIND_NAMES[unit.kind]}"
            yield Problem(file, f"{path}.units", message, "改正 kinds 或 units")
        if indicator.duty in duties and indicator.duty not in unit.duties:
            message = f"指标 {indicator.id} 点名“{unit.name}”，但它的 duties 里没有“{indicator.duty}”"
            yield Problem(file, f"{path}.units", message, "在 sites.toml 该单位的 duties 里添上这项职责")


def _sums(indicators: Indicators, file: str) -> Iterator[Problem]:
    """Each kind of unit must be able to reach exactly the total: rows of named units or of a duty count as everybody's,
    because a unit without the duty gets the others' mean there."""
    for kind, name in KIND_NAMES.items():
        points = indicators.points_of(kind)
        if points != indicators.total:
            message = f"{name}各行分值之和是 {points}，不是 {indicators.total}"
            yield Problem(file, "indicator", message, "核对各行的 points 和 kinds")


def _unknown(
    file: str, path: str, what: str, names: Sequence[str], known: Collection[str] | Mapping[str, object]
) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield Problem(file, path, f"没有“{name}”这个{what}", _choices(name, known))


def _choices(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"是不是“{close[0]}”？" if close else f"可以写：{'、'.join(sorted(known)) or '（一个也没有）'}"
