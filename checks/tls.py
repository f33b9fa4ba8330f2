"""HTTPS: a site that offers it shows a certificate that browsers accept, and will accept for some time yet."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from checks.judging.verdict import Subject
from checks.model import Bundle, CheckMeta, Finding, Outcome, Probe, ProbeKind, Scope
from config.rules import Rules, TlsRule

META = CheckMeta(
    id="tls",
    title="HTTPS证书",
    failure_title="HTTPS证书无效或将过期",
    basis="《政府网站发展指引》（国办发〔2017〕47号）关于安全防护的要求；国办秘函〔2019〕19号；石栾政办函〔2020〕118号“政府网站规范建设”",
    method="以网站域名（SNI）建立HTTPS连接，看证书是否在有效期内、离到期还有几天，列出的名称（SAN）是否包含本站域名，证书链能否追溯到受信任的机构。"
    "只报最重的一项。没有条款要求必须启用HTTPS，所以没有启用的不适用；连不上、握手失败的不下结论。",
    scope=Scope.SITE,
    reasons={
        "ok": "证书有效",
        "expired": "证书已过期",
        "not_yet_valid": "证书尚未生效",
        "wrong_name": "证书不是本站的",
        "untrusted": "证书不受信任",
        "expiring": "证书即将过期",
        "no_https": "没有启用HTTPS",
        "unanswered": "没有取得证书",
        "not_probed": "没有探测",
    },
)

CLAUSE = "依据：《政府网站发展指引》（国办发〔2017〕47号）、国办秘函〔2019〕19号。"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the host showed; `verified` None: whether its chain is trusted was not to be told."""

    host: str
    begins: date
    ends: date
    names: tuple[str, ...]
    issuer: str
    verified: bool | None
    error: str

    @property
    def line(self) -> str:
        """The certificate in one Chinese sentence."""
        names = "、".join(self.names[:5]) or "没有名称"
        more = f"等 {len(self.names)} 个名称" if len(self.names) > 5 else ""
        return f"证书由 {self.issuer} 签发，用于 {names}{more}，有效期 {self.begins} 至 {self.ends}。"


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding: the gravest fault of the site's certificate, or that it is good."""
    if bundle.site is None:
        return
    probe = next((probe for probe in bundle.probes if probe.kind is ProbeKind.TLS), None)
    host = urlsplit(bundle.site.home).hostname or bundle.site.home
    evidence = (probe.evidence,) if probe is not None and probe.evidence else ()
    subject = Subject(META.id, host, evidence)
    if probe is None:
        yield subject.finding(Outcome.INCONCLUSIVE, "not_probed", f"本次没有向 {host} 建立HTTPS连接。")
        return
    certificate = _certificate(probe, host)
    if certificate is None:
        yield _without(subject, probe, bundle.site.home)
    else:
        yield _judge(subject, certificate, bundle.day, rules.checks.tls)


def _certificate(probe: Probe, host: str) -> Certificate | None:
    observed = probe.observed
    begins, ends = _day(observed.get("not_before")), _day(observed.get("not_after"))
    if observed.get("offered") is not True or begins is None or ends is None:
        return None
    names, verified = observed.get("names"), observed.get("verified")
    return Certificate(
        host=host,
        begins=begins,
        ends=ends,
        names=tuple(map(str, names)) if isinstance(names, (list, tuple)) else (),
        issuer=str(observed.get("issuer") or "不明机构"),
        verified=verified if isinstance(verified, bool) else None,
        error=str(observed.get("error") or ""),
    )


def _without(subject: Subject, probe: Probe, home: str) -> Finding:
    error = str(probe.observed.get("error") or (probe.failure.title if probe.failure else ""))
    if probe.failure is None and probe.observed.get("offered") is False and not home.startswith("https:"):
        observed = f"网站没有启用HTTPS（{probe.target}：{error or '没有服务'}），没有条款要求必须启用。"
        return subject.not_applicable("no_https", observed)
    observed = f"没有从 {probe.target} 取得证书：{error or '原因不明'}，不能断定。"
    return subject.finding(Outcome.INCONCLUSIVE, "unanswered", observed)


def _judge(subject: Subject, certificate: Certificate, day: date, rule: TlsRule) -> Finding:
    left = (certificate.ends - day).days
    fault = _fault(certificate, day, left, rule)
    if fault is not None:
        reason, seen, wanted = fault
        observed = (
            f"访问者用 https 打开网站时，浏览器会{'提示' if reason != 'expiring' else '很快提示'}不安全：{seen}。"
        )
        shown = f"{subject.target} {certificate.begins} {certificate.ends}"
        return subject.failed(
            reason, observed + certificate.line, f"{wanted}。{CLAUSE}", passage=shown, where="HTTPS证书"
        )
    if certificate.verified is None:
        observed = f"没有验证证书链（{certificate.error or '原因不明'}），不能断定是否受信任。{certificate.line}"
        return subject.finding(Outcome.INCONCLUSIVE, "unanswered", observed)
    return subject.passed("ok", f"证书有效，还有 {left} 天到期。{certificate.line}", where="HTTPS证书")


def _fault(certificate: Certificate, day: date, left: int, rule: TlsRule) -> tuple[str, str, str] | None:
    """Return the gravest fault as (reason, what was seen, what is wanted), or None."""
    if left < 0:
        return "expired", f"证书已于 {certificate.ends} 过期", "请换上新的证书"
    if certificate.begins > day:
        return "not_yet_valid", f"证书要到 {certificate.begins} 才生效", "请换上已经生效的证书，并核对服务器时间"
    if not any(covers(name, certificate.host) for name in certificate.names):
        return "wrong_name", f"证书不包含 {certificate.host}", f"请换上名称（SAN）包含 {certificate.host} 的证书"
    if certificate.verified is False:
        seen = f"证书链追溯不到受信任的机构（{certificate.error or '验证没有通过'}）"
        return "untrusted", seen, "请使用受信任的机构签发的证书，并在服务器上装全中间证书"
    if left < rule.days_left:
        return "expiring", f"证书还有 {left} 天到期", f"请在到期前 {rule.days_left} 天以上换上新的证书"
    return None


def covers(name: str, host: str) -> bool:
    """Tell whether a name on a certificate is for the host; a wildcard stands for exactly one label."""
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    if name == host:
        return True
    first, _, rest = name.partition(".")
    return first == "*" and bool(rest) and not _is_address(host) and host.partition(".")[2] == rest


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
