"""The snapshot in Prometheus' text format (exposition format 0.0.4).

Names are published for ever: a release may add some but never change one. This module does not know HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from piprint.web.view import BUCKETS, Snapshot

__all__ = ["metrics"]

_STATES = ("idle", "processing", "stopped", "unreachable")
_OUTCOMES = ("printed", "error", "uncertain", "released", "changed")

Sample = tuple[str, dict[str, str], float]


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _family(name: str, kind: str, meaning: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
    for suffix, labels, value in samples:
        inside = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
        yield f"{name}{suffix}{{{inside}}} {value:.15g}" if inside else f"{name}{suffix} {value:.15g}"


def metrics(snapshot: Snapshot) -> str:
    """Return the text."""
    return "\n".join(_families(snapshot)) + "\n"


def _families(now: Snapshot) -> Iterator[str]:
    link, totals = now.connection, now.totals
    build = {"version": now.version, "host": now.host}
    yield from _family("piprint_info", "gauge", "What runs here.", [("", build, 1)])
    up = float(link.state == "connected")
    yield from _family("piprint_business_central_up", "gauge", "1 while Business Central answers.", [("", {}, up)])
    contact = link.last_contact.timestamp() if link.last_contact else 0.0
    yield from _family(
        "piprint_last_contact_timestamp_seconds", "gauge", "When Business Central answered last.", [("", {}, contact)]
    )
    yield from _family("piprint_calls_total", "counter", "Calls to Business Central.", [("", {}, link.calls)])
    yield from _family(
        "piprint_call_errors_total", "counter", "Of these, without a good answer.", [("", {}, link.failed)]
    )
    outcomes = {name: totals.outcomes.get(name, 0) for name in (*_OUTCOMES, *totals.outcomes)}
    yield from _family(
        "piprint_jobs_total", "counter", "Jobs that are over, by outcome.",
        [("", {"outcome": name}, count) for name, count in outcomes.items()],
    )  # fmt: skip
    yield from _family("piprint_jobs_in_flight", "gauge", "Jobs this processor has.", [("", {}, len(now.jobs))])
    yield from _family(
        "piprint_jobs_queued", "gauge", "Jobs waiting in Business Central.",
        [("", {"printer": each.id}, each.queued) for each in now.printers],
    )  # fmt: skip
    yield from _family(
        "piprint_printer_state", "gauge", "1 for the state the printer is in.",
        [
            ("", {"printer": each.id, "state": state}, each.state == state)
            for each in now.printers
            for state in _STATES
        ],
    )  # fmt: skip
    yield from _family(
        "piprint_claim_to_printed_seconds",
        "histogram",
        "From the claim of a job until its printer said that it is printed; of one that says nothing, until it was sent.",
        _histogram(now),
    )
    yield from _family("piprint_troubles", "gauge", "Things a person should look at.", [("", {}, len(now.troubles))])


def _histogram(now: Snapshot) -> Iterator[Sample]:
    total = 0
    for bound, count in zip((*BUCKETS, float("inf")), now.totals.seconds, strict=True):
        total += count
        yield "_bucket", {"le": "+Inf" if bound == float("inf") else f"{bound:g}"}, total
    yield "_sum", {}, now.totals.seconds_sum
    yield "_count", {}, total
