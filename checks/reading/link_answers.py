"""What probing the links came to: the LINK probes of a bundle, by the addresses that pages write."""

from __future__ import annotations

from checks.model import Bundle, Probe, ProbeKind


def link_probes(bundle: Bundle) -> list[Probe]:
    """Return the probes of links that were answered, whatever the answer."""
    return [probe for probe in bundle.probes if probe.kind is ProbeKind.LINK and probe.failure is None]


def addresses_of(probe: Probe) -> tuple[str, ...]:
    """Return the addresses, as pages write them, that the probe speaks of."""
    written = probe.observed.get("written")
    return tuple(map(str, written)) if isinstance(written, (list, tuple)) else ()


def is_found(probe: Probe, state: str) -> bool:
    """Whether the probe found the link alive, dead or unsure."""
    return probe.observed.get("state") == state


def tries_told(probe: Probe) -> str:
    """Return in Chinese how often the link was asked for, and what came of it."""
    tries = probe.observed.get("tries")
    listed = [attempt for attempt in tries if isinstance(attempt, dict)] if isinstance(tries, (list, tuple)) else []
    times = f"先后 {len(listed)} 次请求都是" if len(listed) > 1 else ""
    return f"{times}{probe.observed.get('why') or '打不开'}"
