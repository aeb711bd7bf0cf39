"""Metrics: the station's counters and health as Prometheus text, one family for each thing counted.

The numbers are the station's own, as of its last durable tick, so that a scrape and `/counters` cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

COUNTED = {
    "received": "Records that a feed brought.",
    "shed": "Records given up unread because more came than could be taken.",
    "duplicate": "Reports that said what was said before.",
    "applied": "Reports that the watch used in time.",
    "late": "Reports that came after the watermark.",
}
"""What is counted by feed alone, with its help."""


def metrics_text(counters: Mapping[str, Any], health: Mapping[str, Any]) -> bytes:
    """Return the metrics.

    Parameters
    ----------
    counters, health : mapping
        As `StationApi` returns them.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families([*_counted(counters), *_state(health)]))
    return generate_latest(registry)


class _Families:
    """A collector of families that are there already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _counted(counters: Mapping[str, Any]) -> Iterable[Metric]:
    feeds = counters.get("feeds", {})
    for name, text in COUNTED.items():
        family = CounterMetricFamily(f"tocsin_reports_{name}", text, labels=["feed"])
        for feed, counts in feeds.items():
            family.add_metric([feed], counts.get(name, 0))
        yield family
    pending = GaugeMetricFamily("tocsin_reports_pending", "Reports that wait for their order.", labels=["feed"])
    for feed, counts in feeds.items():
        pending.add_metric([feed], counts.get("pending", 0))
    yield pending
    for name, label, text in (
        ("rejected", "reason", "Records that gave no report, by reason."),
        ("flagged", "flag", "Reports that are doubtful, by flag."),
    ):
        family = CounterMetricFamily(f"tocsin_reports_{name}", text, labels=["feed", label])
        for feed, counts in feeds.items():
            for word, count in counts.get(name, {}).items():
                family.add_metric([feed, word], count)
        yield family


def _state(health: Mapping[str, Any]) -> Iterable[Metric]:
    yield GaugeMetricFamily("tocsin_ok", "1 if nothing is wrong.", value=float(bool(health.get("ok"))))
    yield GaugeMetricFamily(
        "tocsin_takes_reports",
        "1 if reports are taken.",
        value=float(bool(health.get("takes_reports", health.get("ok")))),
    )
    if "tick" in health:
        yield CounterMetricFamily("tocsin_ticks", "Durable ticks.", value=health["tick"])
    entries = health.get("record", {}).get("entries")
    if entries is not None:
        yield GaugeMetricFamily("tocsin_record_entries", "Entries of the record.", value=entries)
    silent = GaugeMetricFamily("tocsin_feed_silent", "1 for a feed that is silent.", labels=["feed"])
    for feed in health.get("silent_feeds", ()):
        silent.add_metric([feed], 1.0)
    yield silent
