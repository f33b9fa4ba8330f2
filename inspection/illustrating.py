"""Screenshots of failing pages, taken the same night; they illustrate findings and decide nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from checks import personal_information
from checks.model import Finding, Mode, Outcome
from crawler.plan import SitePlan
from crawler.turns import nobody
from inspection.children import Children, emit, receive_job
from inspection.place import OUTAGE_SECONDS, Place, opened
from inspection.politeness import VisitLog, hosts_of
from inspection.progress import Progress
from inspection.recording import recording
from inspection.settings import resolve
from storage.model import Run, RunKind

TIME_LIMIT_SECONDS = 1800.0


def illustrate(
    place: Place, run: Run, plans: Sequence[SitePlan], findings: Mapping[str, Sequence[Finding]], progress: Progress
) -> None:
    """Take screenshots of the pages that findings blame, at most `screenshots_per_unit` a unit, and attach them."""
    wanted = pages_to_picture(plans, findings, place.configuration.inventory.crawl.screenshots_per_unit)
    if not wanted:
        return
    done = {capture.url for plan in plans for capture in _screenshots(place, run, plan.site.id)}
    left = {site: [url for url in urls if url not in done] for site, urls in wanted.items()}
    total = sum(map(len, left.values()))
    if total:
        job = {"run_id": run.id, "urls": left, "config": str(place.settings.config), "data": str(place.settings.data)}
        Children(place.settings.environment()).run(
            "inspection.illustrating",
            job,
            log=place.logs / f"run-{run.id}-screenshots.log",
            on_event=lambda event: progress.advance("截图", event["done"], total),
            time_limit=TIME_LIMIT_SECONDS,
        )
    _attach(place, run, plans, findings)


def pages_to_picture(
    plans: Sequence[SitePlan], findings: Mapping[str, Sequence[Finding]], per_unit: int
) -> dict[str, list[str]]:
    """Return the URLs to picture by site id, each once; pages that give people away are not pictured."""
    hosts = {_origin(plan.site.home): plan.site.id for plan in plans}
    wanted: dict[str, dict[str, None]] = {}
    for of_unit in findings.values():
        failing = [f for f in of_unit if f.outcome is Outcome.FAIL and _origin(f.target) in hosts]
        private = {f.target for f in failing if f.check == personal_information.META.id}
        blamed = dict.fromkeys(f.target for f in failing if f.target not in private)
        for url in list(blamed)[:per_unit]:
            wanted.setdefault(hosts[_origin(url)], {})[url] = None
    return {site: list(urls) for site, urls in wanted.items()}


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3]) if url.startswith(("http://", "https://")) else ""


def _screenshots(place: Place, run: Run, site_id: str) -> list[Any]:
    return [
        capture
        for capture in place.repository.captures(run.id, site_id)
        if capture.mode is Mode.SCREENSHOT and capture.evidence is not None and capture.failure is None
    ]


def _attach(place: Place, run: Run, plans: Sequence[SitePlan], findings: Mapping[str, Sequence[Finding]]) -> None:
    taken = {capture.url: capture.evidence for plan in plans for capture in _screenshots(place, run, plan.site.id)}
    for finding in (finding for of_unit in findings.values() for finding in of_unit):
        if finding.outcome is Outcome.FAIL and finding.target in taken:
            place.repository.attach_screenshot(run.id, [finding.fingerprint], taken[finding.target])


def main() -> int:
    """Take the screenshots that the parent process asks for."""
    from crawler.rendering import find_browser
    from crawler.screenshots import take_screenshots

    job = receive_job()
    browser = find_browser()
    if browser is None:
        return 0
    with (
        opened(resolve(Path(job["config"]), Path(job["data"])), OUTAGE_SECONDS) as place,
        recording(place.repository, place.evidence, job["run_id"], "screenshots") as recorder,
    ):
        hosts = hosts_of(place)
        is_spot_check = place.repository.run(job["run_id"]).kind is RunKind.SPOT
        take_screenshots(
            job["urls"],
            settings=place.configuration.inventory.crawl,
            sites=place.configuration.inventory.sites,
            sink=recorder,
            browser=browser,
            on_progress=lambda done, total: emit({"event": "progress", "done": done}),
            clock=lambda: datetime.now(UTC),
            is_taken=nobody if is_spot_check else place.turns.is_taken,
            hosts=hosts,
        )
        VisitLog(place, job["run_id"], "screenshots", hosts).keep()
    return 0


if __name__ == "__main__":
    sys.exit(main())
