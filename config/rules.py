"""What people may write in config/rules.toml: limits, weights, words, one row a check, and the vetoes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from config.schema import ColumnType, Identifier, Settings, Share, Text, Unit, UnitKind, Weight
from config.words import Words


def _day_of_any_year(value: str) -> str:
    """Return month and day (01-31) unchanged; raises ValueError unless every year has that day."""
    date.fromisoformat(f"2001-{value}")
    return value


DayOfYear = Annotated[str, AfterValidator(_day_of_any_year)]


def edition_due(day: date, last_year_until: str) -> int:
    """Return the year whose edition must be published on a day, when last year's will do until `last_year_until`."""
    return day.year if f"{day:%m-%d}" > last_year_until else day.year - 1


class CheckRule(Settings):
    """What every check's row in rules.toml may say."""

    weight: Weight = Decimal(1)  # multiplies the weight of each binding; 0: reported, but not scored
    severity: Literal["high", "medium", "low"] = "medium"
    confirm_reasons: tuple[str, ...] = ()  # FAIL reasons that hang on the network's mood and wait for k of n nights


class OpenAttributeRule(CheckRule):
    """公开属性标注."""


class DocumentMetadataRule(CheckRule):
    """公文要素: which elements a document must show."""

    required: tuple[str, ...] = ("index_number", "issuer", "doc_number", "written_date", "published_date")


class StandardCatalogRule(CheckRule):
    """基层政务公开标准目录: the columns a catalogue's head must have, each with its accepted spellings."""

    head: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # the 26 pilot fields and the words that name them


IPV6_ITEMS = ("aaaa", "reach", "success_rate", "delegation", "similarity", "second_level", "third_level")


class Ipv6Rule(CheckRule):
    """IPv6: weights of the seven items and limits of the repeated tries."""

    item_weights: dict[str, Weight] = Field(default_factory=dict)
    tries: int = Field(default=5, ge=1)
    success_rate: Share = Decimal("0.9")
    max_difference: Share = Decimal("0.10")
    sampled_links: int = Field(default=10, ge=1)
    link_share: Share = Decimal("0.9")


class ColumnFreshnessRule(CheckRule):
    """栏目更新: days a column of a type may stay without a new item."""

    days: dict[ColumnType, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)


class HomeFreshnessRule(CheckRule):
    """首页更新: days the home page may stay without a new item (19号: two weeks)."""

    days: int = Field(default=14, ge=1)


class EmptyColumnsRule(CheckRule):
    """空白栏目."""


class SiteIdentityRule(CheckRule):
    """网站标识: which marks the footer must bear."""

    required: tuple[str, ...] = ("site_code", "icp", "police", "conac_badge", "host_unit", "contact")


class InstitutionsRule(CheckRule):
    """政府信息公开制度: characters from which a column that is one page holds a regulation."""

    min_text: int = Field(default=100, ge=1)


class PersonalInformationRule(CheckRule):
    """个人信息保护: how many numbers make a leak, and the words that tell whose numbers they are."""

    certain_age: int = Field(default=15, ge=0)  # years since the day of birth from which a number speaks for itself
    bank_cards: int = Field(default=2, ge=1)
    mobiles: int = Field(default=3, ge=1)
    id_words: tuple[str, ...] = ()  # the page speaks of identity numbers
    code_words: tuple[str, ...] = ()  # labels of numbers that belong to no person
    sample_words: tuple[str, ...] = ()  # labels of examples
    sample_ids: tuple[str, ...] = ()
    sample_titles: tuple[str, ...] = ()  # titles of forms filled in to show how
    payment_words: tuple[str, ...] = ()  # titles of notices that tell where to pay
    required_words: tuple[str, ...] = ()  # titles of notices that must name a person
    name_words: tuple[str, ...] = ()  # heads of a list of people
    private_words: tuple[str, ...] = ()  # lists of people in a private matter
    duty_words: tuple[str, ...] = ()  # lists of people who are to be reached


class ServiceGuidesRule(CheckRule):
    """办事指南: the elements of a guide, each with its accepted spellings, and how many missing ones are too many."""

    elements: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    serious: int = Field(default=4, ge=1)


class KeyTopic(Settings):
    """重点领域的一个主题: the words that tell it, and who must speak of it."""

    id: Identifier
    row: Text  # the row of the table that names it: 4.1 to 4.5
    title: Text
    keywords: tuple[Text, ...] = Field(min_length=1)
    units: tuple[str, ...] = ()  # units that answer for it by name
    townships: bool = False  # whether it answers for a township, which needs any one topic of the row


class KeyTopicsRule(CheckRule):
    """重点领域: topics by row, the duty each row means, the period in days, and how often a text must mention one."""

    days: int = Field(default=365, ge=1)
    mentions: int = Field(default=3, ge=1)
    duties: dict[str, str] = Field(default_factory=dict)
    topics: tuple[KeyTopic, ...] = Field(default=(), alias="topic")

    model_config = ConfigDict(populate_by_name=True)


class AvailabilityRule(CheckRule):
    """站点可用性: how often and how long the home page is tried, and which share of failures is too much."""

    seconds: int = Field(default=15, ge=1)  # a home page that takes longer has not opened
    probes_a_day: int = Field(default=20, ge=1)  # a day with fewer that count is not full
    full_days: int = Field(default=5, ge=1, le=7)  # full days of the week that a verdict needs
    failed_share: Share = Decimal("0.05")


class UndatedArticlesRule(CheckRule):
    """未注明发布时间: the types of columns whose items must say when they were published."""

    column_types: tuple[ColumnType, ...] = ()


class NormativeDocumentsRule(CheckRule):
    """规范性文件集中公开."""


class DeadLinksRule(CheckRule):
    """错链断链: how a dead link's places are told."""

    template_share: Share = Decimal("0.5")  # a link on this share of the pages is called part of the template
    shown_places: int = Field(default=5, ge=1)


class PageTagsRule(CheckRule):
    """网页标签: the tags of each kind; of the names in one line, one is enough."""

    site: tuple[tuple[str, ...], ...] = ()
    column: tuple[tuple[str, ...], ...] = ()
    article: tuple[tuple[str, ...], ...] = ()


class GuideElement(Settings):
    """公开指南的一个要素: the labels that introduce it, and the words of running text that tell of it."""

    title: Text
    labels: tuple[Text, ...] = Field(min_length=1)
    words: tuple[Text, ...] = ()
    may_be_none: bool = False  # 无 is an answer: not every office has a fax


class DisclosureGuideRule(CheckRule):
    """公开指南: its elements, and the signs of a guide that rests on the former regulations."""

    min_text: int = Field(default=60, ge=1)  # characters from which there is a guide at all
    elements: dict[str, GuideElement] = Field(default_factory=dict)
    outdated: tuple[Text, ...] = ()
    renewed: tuple[Text, ...] = ()


class AgencyFunctionsRule(CheckRule):
    """机构职能: what a unit says of itself, each element with its accepted spellings."""

    elements: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class BackdatedPublicationRule(CheckRule):
    """伪造发稿日期: days that a claimed date may lie before the night on which the article was not there yet."""

    grace_days: int = Field(default=3, ge=0)


class ApplicationChannelRule(CheckRule):
    """依申请公开: the words by which a page tells how to apply."""

    online_words: tuple[str, ...] = ()  # links to an entry
    offline_words: tuple[str, ...] = ()
    form_words: tuple[str, ...] = ()  # names of the form
    form_labels: tuple[str, ...] = ()  # cells of a form that stands on the page
    labels: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # accepted spellings of 地址 and 电话


class ConsultationChannelRule(CheckRule):
    """咨询建言: calendar months within which a message is to be answered, and the words of entries and states."""

    months: int = Field(default=3, ge=1)
    entry_words: tuple[str, ...] = ()
    unanswered_words: tuple[str, ...] = ()
    answered_words: tuple[str, ...] = ()


class WrongExpressionsRule(CheckRule):
    """严重错误表述: the words are in words.toml."""


class ErrorReportEntryRule(CheckRule):
    """我为政府网站找错: the host of the national service, without the suffix that the district's sites end in."""

    service: str = "zfwzgl.www"


class PowerListRule(CheckRule):
    """权责清单: how many rows make a list, and until which day of a year last year's edition will do."""

    rows: int = Field(default=2, ge=1)
    last_year_until: DayOfYear = "06-30"

    def edition_due(self, day: date) -> int:
        """Return the year whose edition must be published on that day."""
        return edition_due(day, self.last_year_until)


class AnnualReportRule(CheckRule):
    """公开年报: until when it is due, its parts with their wordings, and the words at the head of its tables' rows."""

    due: DayOfYear = "01-31"
    later: dict[str, DayOfYear] = Field(default_factory=dict)  # by unit id, where another day holds
    parts: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    table_words: tuple[Text, ...] = ()
    min_table_rows: int = Field(default=3, ge=1)

    def due_for(self, unit_id: str) -> str:
        """Return the day of the year (01-31) until which the unit's report is due."""
        return self.later.get(unit_id, self.due)


class NewMediaRule(CheckRule):
    """政务新媒体: days an account may stay without a post, and days that the office's register stays good."""

    days: int = Field(default=14, ge=1)
    register_days: int = Field(default=31, ge=1)


class TlsRule(CheckRule):
    """HTTPS证书: days that a certificate must still be good for."""

    days_left: int = Field(default=15, ge=0)


class PolicyInterpretationRule(CheckRule):
    """政策解读: which documents want one, how many of the newest are looked at, and within how many days it is due."""

    days: int = Field(default=365, ge=1)
    newest: int = Field(default=3, ge=1)
    within_days: int = Field(default=14, ge=0)
    words: tuple[str, ...] = ()  # a title with one of these is a policy
    exempt: tuple[str, ...] = ()  # unless it has one of these
    item_weights: dict[str, Weight] = Field(default_factory=dict)


class ReliefPoliciesRule(CheckRule):
    """惠企惠民政策: the words that tell relief, those that tell an interpretation, and the period in days."""

    days: int = Field(default=365, ge=1)
    duty: str = "relief_policies"  # who answers for it
    words: tuple[str, ...] = ()
    interpretation_words: tuple[str, ...] = ()


class Emergency(Settings):
    """突发公共卫生事件: what it was, and from which day until which it lasted; no end: it lasts."""

    name: Text
    first: date
    last: date | None = None


class HealthNoticesRule(CheckRule):
    """突发公共卫生: the emergencies, how often the column must say something during one, and what a plan is called."""

    days: int = Field(default=7, ge=1)
    plan_words: tuple[str, ...] = ()
    emergencies: tuple[Emergency, ...] = Field(default=(), alias="emergency")

    model_config = ConfigDict(populate_by_name=True)


class DomainNameRule(CheckRule):
    """域名."""


class PlatformColumn(Settings):
    """平台的一个栏目: its uniform name first, and the shorter names that do within the section."""

    names: tuple[Text, ...] = Field(min_length=1)
    within: tuple[Text, ...] = ()


class PlatformStructureRule(CheckRule):
    """平台规范: the section's uniform name and its columns."""

    section: Text = "政府信息公开"
    columns: dict[ColumnType, PlatformColumn] = Field(default_factory=dict)


class PublicConsultationRule(CheckRule):
    """意见征集: days after its end within which the result is due, and how long ago a draft is still judged."""

    result_days: int = Field(default=30, ge=1)
    look_back_days: int = Field(default=365, ge=1)


class HiddenLinksRule(CheckRule):
    """暗链: what tells an advertisement from a warning, and the hosts that sites call on themselves."""

    visible_at_least: int = Field(default=3, ge=1)  # advertisements in full view that nobody puts up by himself
    longest_text: int = Field(default=30, ge=1)  # characters of an advertisement
    cautions: tuple[Text, ...] = ()  # words of titles that warn of what the word list names
    known_hosts: tuple[Text, ...] = ()


class SiteSearchRule(CheckRule):
    """站内搜索: which known titles are asked for."""

    titles: int = Field(default=3, ge=2)  # asked for at most
    settled_days: int = Field(default=3, ge=1)  # an article must have been out so long: indexes are not made at once


class MandatoryItem(Settings):
    """法定主动公开内容的一项: what shows that it is published, and to whom it falls.

    It falls to units of `kinds`, to those that bear one of `duties`, to those named in `units`, and with `where_column`
    to those that have a column of `column_types`; never to those of `except_units`.
    """

    title: Text
    clause: int = Field(ge=1, le=15)  # 条例第20条第…项
    keywords: tuple[Text, ...] = ()  # in titles of what is published
    column_types: tuple[ColumnType, ...] = ()  # columns whose content is the item
    kinds: tuple[UnitKind, ...] = ()
    duties: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    except_units: tuple[str, ...] = ()
    where_column: bool = False
    days: int | None = Field(default=None, ge=1)  # how old the newest may be

    def falls_to(self, unit: Unit, types: frozenset[ColumnType]) -> bool:
        """Whether the unit has to publish the item; `types` are those of the columns that it has."""
        if unit.id in self.except_units:
            return False
        named = unit.kind in self.kinds or unit.id in self.units or bool(set(self.duties) & set(unit.duties))
        return named or (self.where_column and bool(types & set(self.column_types)))


class MandatoryContentRule(CheckRule):
    """法定主动公开内容: the items, the columns that are searched for them, and the words of titles that are none."""

    searched: tuple[ColumnType, ...] = ()
    excluded: tuple[Text, ...] = ()
    items: dict[str, MandatoryItem] = Field(default_factory=dict)


class DoubleRandomRule(CheckRule):
    """双随机一公开: who must publish, the words that name each material, and until when last year's will do."""

    duty: str = "market_rules"
    materials: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    last_year_until: dict[str, DayOfYear] = Field(default_factory=dict)

    def edition_due(self, material: str, day: date) -> int:
        """Return the year whose material must be published on that day."""
        return edition_due(day, self.last_year_until.get(material, "12-31"))


class FaqRule(CheckRule):
    """百事通/常见问题: days that the column may stay without anything new."""

    days: int = Field(default=366, ge=1)


class CheckRules(Settings):
    """One row a check; a test proves that registry and rows agree."""

    open_attribute: OpenAttributeRule
    document_metadata: DocumentMetadataRule
    standard_catalog: StandardCatalogRule
    ipv6: Ipv6Rule
    column_freshness: ColumnFreshnessRule
    home_freshness: HomeFreshnessRule
    empty_columns: EmptyColumnsRule
    site_identity: SiteIdentityRule
    availability: AvailabilityRule
    backdated_publication: BackdatedPublicationRule
    new_media: NewMediaRule
    key_topics: KeyTopicsRule
    policy_interpretation: PolicyInterpretationRule
    relief_policies: ReliefPoliciesRule
    health_notices: HealthNoticesRule
    service_guides: ServiceGuidesRule
    agency_functions: AgencyFunctionsRule
    power_list: PowerListRule
    public_consultation: PublicConsultationRule
    double_random: DoubleRandomRule
    faq: FaqRule
    personal_information: PersonalInformationRule
    consultation_channel: ConsultationChannelRule
    application_channel: ApplicationChannelRule
    wrong_expressions: WrongExpressionsRule
    institutions: InstitutionsRule
    normative_documents: NormativeDocumentsRule
    disclosure_guide: DisclosureGuideRule
    annual_report: AnnualReportRule
    platform_structure: PlatformStructureRule
    mandatory_content: MandatoryContentRule
    undated_articles: UndatedArticlesRule
    page_tags: PageTagsRule
    hidden_links: HiddenLinksRule
    domain_name: DomainNameRule
    error_report_entry: ErrorReportEntryRule
    dead_links: DeadLinksRule
    tls: TlsRule
    site_search: SiteSearchRule

    def row(self, check_id: str) -> CheckRule:
        """Return the row of a check; raises AttributeError for an unknown id."""
        row = getattr(self, check_id)
        assert isinstance(row, CheckRule)
        return row


class Confirmation(Settings):
    """Seen on `seen` of the last `nights` nights before a finding of the network's mood counts."""

    seen: int = Field(default=2, ge=1)
    nights: int = Field(default=3, ge=1)


class Veto(Settings):
    """单项否决 of 国办秘函〔2019〕19号: a count of failing targets of one check that makes the verdict 不合格."""

    id: str
    title: str
    check: str
    column_types: tuple[ColumnType, ...] = ()  # empty: any
    reasons: tuple[str, ...] = ()  # only faults with one of these reasons count; empty: any
    averted_by: tuple[str, ...] = ()  # one finding with one of these reasons, and there is no veto
    site_only: bool = False  # asks of a site what no unit of it need have by itself: not counted for units
    at_least: int = Field(ge=1)
    points: Weight = Decimal(0)  # what it costs in the roll-up


class Rules(Settings):
    """The whole of rules.toml and words.toml; `version` changes whenever a number or a word in them does."""

    version: Text
    coverage_floor: Share = Decimal("0.8")
    confirmation: Confirmation = Confirmation()
    checks: CheckRules
    vetoes: tuple[Veto, ...] = Field(default=(), alias="veto")
    words: Words = Words()  # from words.toml, which the loader reads

    model_config = ConfigDict(populate_by_name=True)
