"""The history of one connection: its status as a bar, its events by slot and by line, the speed of its instance."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from connections.choices import EventKind
from connections.dashboard import figures, history, plots, queries
from connections.dashboard.history import SPANS, Span
from connections.dashboard.rights import Asker, Right, needs
from connections.dashboard.views.detail import connection_page, look, older
from connections.models import Event

KINDS: dict[str, tuple[EventKind, ...]] = {
    "changes": tuple(kind for kind in EventKind if kind not in queries.ROUTINE),
    "tokens": (EventKind.SIGNED_IN, EventKind.REFRESHED, EventKind.TOKEN_DIED),
    "trouble": (
        EventKind.GRANT_FAILED, EventKind.IN_DOUBT, EventKind.TOKEN_DIED, EventKind.CHAIN_DIED, EventKind.DIAGNOSED,
        EventKind.RECOVERED, EventKind.REPORTED,
    ),
    "staff": (
        EventKind.CREATED, EventKind.EDITED, EventKind.SECRET_SET, EventKind.SECRETS_WIPED, EventKind.PAUSED,
        EventKind.RESUMED, EventKind.HELD, EventKind.TESTED, EventKind.SNOOZED, EventKind.AWAKE, EventKind.NOTED,
    ),
}  # fmt: skip
KIND_WORDS = {
    "changes": gettext_lazy("Changes"),
    "tokens": gettext_lazy("Tokens"),
    "trouble": gettext_lazy("Trouble"),
    "staff": gettext_lazy("Staff"),
}
SPAN_WORDS = {"24h": gettext_lazy("24 hours"), "7d": gettext_lazy("7 days"), "30d": gettext_lazy("30 days")}
TONE_WORDS = {
    "bad": gettext_lazy("Trouble"),
    "doubt": gettext_lazy("Doubt"),
    "plain": gettext_lazy("Other"),
    "good": gettext_lazy("Well"),
}


@require_safe
@needs(Right.READ)
def timeline(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    row: Any = look(request, asker, public_id)
    kind = request.GET.get("kind", "")
    span = SPANS.get(request.GET.get("span", ""), SPANS["24h"])
    events = queries.events_of(row)
    if kind in KINDS:
        events = events.filter(kind__in=KINDS[kind])
    start = row.now - span.length
    stretches = history.stretches(row, start=start, now=row.now)
    context = {
        "kind": kind,
        "kinds": list(KIND_WORDS.items()),
        "span": span.name,
        "spans": list(SPAN_WORDS.items()),
        "band": plots.band(stretches, start=start, now=row.now) if stretches else None,
        "stretches": [(one, plots.why(one)) for one in reversed(stretches)],
        "plots": list(_plots(row, asker, events, start=start, span=span)),
        **older(request, events),
    }
    return connection_page(request, asker, row, "timeline", context)


def _plots(row: Any, asker: Asker, events: QuerySet[Event], *, start: datetime, span: Span) -> list[plots.Plot]:
    """Of the events that the filter lets through; and how fast the instance was, where it answered at all."""
    series = history.events_by_slot(events, start=start, span=span)
    words = {tone: str(word) for tone, word in TONE_WORDS.items()}
    count = sum(series.totals.values())
    told = ngettext("%(count)s event.", "%(count)s events.", count) % {"count": f"{count:,}"}
    shown = [plots.bars("events", series, title=_("Events"), told=told, words=words)]
    speed = figures.latency_of_instance(row, asker.tenants, start=start, step=span.step)
    if speed:
        shown.append(plots.lines(speed, start=start, now=row.now, step=span.step))
    return shown
