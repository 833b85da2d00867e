"""Errors across the fleet, and what staff decided about them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from connections.choices import FailureStanding
from connections.custody import marks
from connections.dashboard import failures, plots, queries
from connections.dashboard.desk_forms import MarkForm
from connections.dashboard.failures import Group
from connections.dashboard.rights import Asker, NotThere, Right, needs, reason_without, require_everywhere
from connections.dashboard.shell import compare_page, page, surroundings
from connections.dashboard.wording import title_of

SHOWN = 50
STANDINGS = {
    failures.OPEN: gettext_lazy("Open"),
    FailureStanding.ACKNOWLEDGED.value: gettext_lazy("Acknowledged"),
    FailureStanding.IGNORED.value: gettext_lazy("Ignored"),
    "all": gettext_lazy("All"),
}
SPAN_WORDS = {"24h": gettext_lazy("24 hours"), "7d": gettext_lazy("7 days"), "30d": gettext_lazy("30 days")}


@require_safe
@needs(Right.READ)
def groups(request: HttpRequest, asker: Asker) -> HttpResponse:
    mark = compare_page(request, asker, queries.newest_event(), queries.newest_mark())
    span = request.GET.get("span", "")
    span = span if span in failures.SPANS else "24h"
    standing = request.GET.get("standing", "")
    standing = standing if standing in STANDINGS else failures.OPEN
    found = failures.groups(asker.tenants, surroundings(request, asker).now, span=failures.SPANS[span])
    shown = [one for one in found if standing in ("all", one.standing)]
    context = {
        "groups": shown[:SHOWN],
        "counts": [
            (name, word, sum(name in ("all", one.standing) for one in found)) for name, word in STANDINGS.items()
        ],
        "standing": standing,
        "span": span,
        "spans": list(SPAN_WORDS.items()),
        "is_cut": len(shown) > SHOWN or len(found) == failures.MOST_GROUPS,
    }
    live_at = request.get_full_path()
    return page(request, asker, "errors/groups.html", context, section="errors", mark=mark, live_at=live_at)


@require_safe
@needs(Right.READ)
def group(request: HttpRequest, asker: Asker, failure: str) -> HttpResponse:
    mark = compare_page(request, asker, queries.newest_event(), queries.newest_mark())
    return _group_page(request, asker, _find(request, asker, failure), mark=mark)


def _find(request: HttpRequest, asker: Asker, failure: str) -> Group:
    found = failures.group(failure, asker.tenants, surroundings(request, asker).now)
    if found is None:
        raise NotThere(_("There are no such errors, or they were pruned."))
    return found


def _group_page(
    request: HttpRequest, asker: Asker, found: Group, *, form: MarkForm | None = None, mark: str = "", status: int = 200
) -> HttpResponse:
    now = surroundings(request, asker).now
    series = failures.by_slot(found.failure, asker.tenants, now)
    told = _("%(count)s in seven days.") % {"count": f"{series.totals['bad']:,}"}
    words = {"bad": _("Failures")}
    context = {
        "group": found,
        "title": title_of(found.code),
        "plot": plots.bars("failures", series, title=_("The last seven days"), told=told, words=words),
        "affected": failures.affected(found.failure, asker.tenants),
        "form": form or MarkForm(),
        "reason": "" if asker.may(Right.OPERATE) else reason_without(Right.OPERATE, asker),
        "is_for_all": asker.tenants is None,
        "is_of_others": _is_of_others(found, asker),
    }
    live_at = request.path if mark else ""
    return page(
        request, asker, "errors/group.html", context, section="errors", mark=mark, live_at=live_at, status=status
    )


def _is_of_others(found: Group, asker: Asker) -> bool:
    """Somebody of all tenants marked it for everybody: this person adds a mark of his own, and takes none of theirs."""
    return found.mark is not None and found.mark.tenant_id is None and asker.tenants is not None


@require_POST
@needs(Right.OPERATE, deed="mark_failure")
def mark(request: HttpRequest, asker: Asker, failure: str) -> HttpResponse:
    found = _find(request, asker, failure)
    if "open" in request.POST:
        if _is_of_others(found, asker):
            require_everywhere(asker, Right.OPERATE)
        marks.open_again(failure, asker.actor, tenants=asker.tenants)
        messages.success(request, _("Open again."))
        return redirect("connections:error_group", failure)
    form = MarkForm(request.POST)
    if not form.is_valid():
        return _group_page(request, asker, found, form=form, status=422)
    until = form.until(surroundings(request, asker).now)
    standing = FailureStanding.ACKNOWLEDGED if until is None else FailureStanding.IGNORED
    reason = form.cleaned_data["reason"]
    marks.mark(failure, standing, asker.actor, tenants=asker.tenants, reason=reason, until=until)
    messages.success(request, _("Acknowledged.") if until is None else _("Ignored for a while."))
    return redirect(reverse("connections:error_group", args=[failure]))
