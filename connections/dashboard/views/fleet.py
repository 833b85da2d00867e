"""The whole fleet: overview, list, the machine itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from connections.choices import DiagnosisCode, Status
from connections.condition import Level, examine
from connections.dashboard import failures, figures, plots, queries, sorting
from connections.dashboard.exporting import MOST_EXPORTED
from connections.dashboard.filters import Filters
from connections.dashboard.first_steps import FirstStep, first_steps
from connections.dashboard.paging import page_of
from connections.dashboard.plots import Plot
from connections.dashboard.rights import Asker, Right, needs, reason_without
from connections.dashboard.shell import (
    START_COMMAND,
    Surroundings,
    compare_page,
    page,
    silence_sentence,
    surroundings,
)
from connections.dashboard.views.watching import rows_address
from connections.dashboard.wording import title_of
from connections.models import Draft
from connections.onboarding import drafts

MOST_DRAFTS = 50
MOST_CAUSES = 8
OUTCOME_WORDS = {
    "good": gettext_lazy("Succeeded"),
    "refused": gettext_lazy("Refused"),
    "unknown": gettext_lazy("Outcome unknown"),
    "unsent": gettext_lazy("Not sent"),
}


@require_safe
@needs(Right.READ)
def overview(request: HttpRequest, asker: Asker) -> HttpResponse:
    """What needs me now, and is the machine itself well?"""
    mark = compare_page(request, asker, queries.newest_event())
    around = surroundings(request, asker)
    census = queries.census(asker.tenants)
    causes = [(code, title_of(code), count) for code, count in census.by_cause]
    context = {
        "census": census,
        "tiles": [(status, Status(status).label, count) for status, count in census.by_status.items()],
        "urgent_count": sum(census.by_status[status] for status in queries.NEED_A_PERSON),
        "causes": causes[:MOST_CAUSES],
        "more_causes": causes[MOST_CAUSES:],
        "next_refresh": queries.next_refresh(asker.tenants) if census.is_all_well else None,
        "urgent": queries.next_to_die(asker.tenants),
        "events": queries.recent_events(asker.tenants),
        "errors": [(one, title_of(one.code)) for one in failures.top_groups(asker.tenants, around.now)],
        "hosts": queries.troubled_hosts(asker.tenants),
        "may_create": asker.may(Right.ADMINISTER),
        "why_not_create": "" if asker.may(Right.ADMINISTER) else reason_without(Right.ADMINISTER, asker),
        "first_steps": [] if census.connected else _first_steps(around),
        "plots": _plots(asker, census, around.now),
    }
    return page(request, asker, "overview.html", context, section="overview", mark=mark, live_at=request.path)


def _first_steps(around: Surroundings) -> list[FirstStep]:
    return first_steps(silence=silence_sentence(around.silent), start_command=START_COMMAND)


def _plots(asker: Asker, census: queries.Census, now: datetime) -> list[Plot]:
    """What was refreshed, and what will have to be, as far as there is anything to draw."""
    drawn = [_grants(asker, now)] if census.total else []
    return [*drawn, _horizon(asker, now)] if census.connected else drawn


def _grants(asker: Asker, now: datetime) -> Plot:
    grants = figures.grants_by_hour(asker.tenants, now)
    told = _came_to(grants.totals)
    words = {name: str(word) for name, word in OUTCOME_WORDS.items()}
    return plots.bars("grants", grants, title=_("Grants of the last 24 hours"), told=told, words=words)


def _came_to(sums: dict[str, int]) -> str:
    """One clause for each outcome, which has a singular of its own."""
    clauses = {
        "good": ngettext("%(count)s grant succeeded", "%(count)s grants succeeded", sums["good"]),
        "refused": ngettext("%(count)s was refused", "%(count)s were refused", sums["refused"]),
        "unsent": ngettext("%(count)s was not sent", "%(count)s were not sent", sums["unsent"]),
        "unknown": ngettext("%(count)s has an unknown outcome", "%(count)s have an unknown outcome", sums["unknown"]),
    }
    return ", ".join(clause % {"count": f"{sums[name]:,}"} for name, clause in clauses.items()) + "."


def _horizon(asker: Asker, now: datetime) -> Plot:
    coming = figures.expiry_horizon(asker.tenants, now)
    least = figures.refreshes_in_five_minutes()
    ending = coming.totals["ending"]
    told = ngettext(
        "%(count)s access token ends within two hours. One worker refreshes at least %(least)s in five minutes.",
        "%(count)s access tokens end within two hours. One worker refreshes at least %(least)s in five minutes.",
        ending,
    ) % {"count": f"{ending:,}", "least": f"{least:,}"}
    words = {"ending": _("Access tokens that end")}
    return plots.bars("horizon", coming, title=_("Expiry horizon"), told=told, words=words, level=least)


@require_safe
@needs(Right.READ)
def connection_list(request: HttpRequest, asker: Asker) -> HttpResponse:
    filters = Filters.read(request.GET, request.user.get_username())
    matching = filters.narrow(queries.listed(asker.tenants))
    found = page_of(matching, filters.sort, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    is_later = bool(found.before or (request.GET.get("after") and not found.rows))
    begun = _begun(asker, filters)
    context = {
        "filters": filters,
        "chips": list(filters.chips()),
        "heads": filters.heads(),
        "orders": sorting.CHOICES,
        "page": found,
        "count": found.count + len(begun),
        "is_later_page": is_later,
        "may_operate": asker.may(Right.OPERATE),
        "may_create": asker.may(Right.ADMINISTER),
        **({} if is_later else _drafts(asker, filters, begun)),
        **_choices(asker),
    }
    live_at = f"{reverse('connections:rows')}?was={rows_address(found.rows)}"
    if not filters.query() and not is_later:
        live_at += f"&urgent={surroundings(request, asker).urgent}"
    return page(request, asker, "connection_list.html", context, section="connections", live_at=live_at)


def _begun(asker: Asker, filters: Filters) -> list[Draft]:
    """What is no connection yet, unless the filters ask for something else."""
    if not filters.admits_drafts():
        return []
    begun = drafts.unfinished(asker.tenants).select_related("tenant")[:MOST_DRAFTS]
    return [draft for draft in begun if filters.mentions(draft)]


def _drafts(asker: Asker, filters: Filters, begun: list[Draft]) -> dict[str, Any]:
    """They stand above the first page, with a notice of those that have expired."""
    return {
        "unfinished": [(draft, drafts.ends_at(draft)) for draft in begun],
        "expired": [] if filters.is_narrowed() else drafts.expired(asker.tenants),
    }


def _choices(asker: Asker) -> dict[str, Any]:
    codes = sorted(((code, title_of(code)) for code in DiagnosisCode.values), key=lambda pair: pair[1])
    return {
        "statuses": [(status, Status(status).label) for status in queries.URGENCY],
        "codes": codes,
        "tenant_slugs": queries.tenant_slugs(asker.tenants),
        "owners": queries.owners(asker.tenants),
        "most_counted": queries.MOST_COUNTED,
        "most_exported": MOST_EXPORTED,
    }


@require_safe
@needs(Right.READ)
def system(request: HttpRequest, asker: Asker) -> HttpResponse:
    """The doctor's findings and the signs of life, for people."""
    findings = sorted(examine(), key=lambda one: one.level == Level.OK)
    context = {
        "findings": findings,
        "unwell": sum(finding.level != Level.OK for finding in findings),
        "heartbeats": queries.heartbeats(),
        "host_waits": queries.host_waits(asker.tenants),
        "waiting": queries.due_and_waiting(asker.tenants),
    }
    return page(request, asker, "system.html", context, section="system")
