"""One help page for each code: readable without signing in, so that a customer's admin can be sent the link."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from connections.choices import DiagnosisCode
from connections.dashboard.shell import page_for_anybody
from connections.dashboard.worker_codes import WORKER_CODES
from connections.diagnosis import CATALOGUE, Entry, fill
from connections.diagnosis.catalogue.chain import CHAIN
from connections.diagnosis.catalogue.credentials import CREDENTIALS
from connections.diagnosis.catalogue.instance import INSTANCE
from connections.diagnosis.catalogue.network import NETWORK
from connections.diagnosis.catalogue.ours import OURS
from connections.diagnosis.catalogue.setup import REGISTER_THE_PLATFORM, SETUP

SET_UP = "sugar-admin-setup"
"""What is needed before any sign-in; its shareable copy, with the names of one connection, is `/s/<token>`."""
GROUPS = (
    (gettext_lazy("Chain"), CHAIN),
    (gettext_lazy("Credentials"), CREDENTIALS),
    (gettext_lazy("Set-up"), SETUP),
    (gettext_lazy("Instance"), INSTANCE),
    (gettext_lazy("Network"), NETWORK),
    (gettext_lazy("Ours"), OURS),
)


@login_not_required
@require_safe
def contents(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("q", "").strip()[:100]
    groups = [(title, [_listed(entry) for entry in entries if _fits(entry, wanted)]) for title, entries in GROUPS]
    workers = [one for one in WORKER_CODES.values() if wanted.lower() in f"{one.code} {one.title}".lower()]
    context = {
        "q": wanted,
        "groups": [group for group in groups if group[1]],
        "worker_codes": workers,
    }
    return _shown(request, "contents", context)


def _shown(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return page_for_anybody(request, f"connections/help/{template}.html", context, section="help")


def _listed(entry: Entry) -> dict[str, str]:
    return {"code": entry.code.value, "title": fill(entry.title), "cause": fill(entry.cause)}


def _fits(entry: Entry, wanted: str) -> bool:
    return wanted.lower() in " ".join((entry.code.value, fill(entry.title), fill(entry.cause))).lower()


@login_not_required
@require_safe
def article(request: HttpRequest, code: str) -> HttpResponse:
    if code == SET_UP:
        return _shown(request, "set_up", {"steps": [fill(step) for step in REGISTER_THE_PLATFORM]})
    if code in WORKER_CODES:
        return _shown(request, "worker_code", {"entry": WORKER_CODES[code]})
    if code not in DiagnosisCode.values:
        raise Http404(_("There is no such code."))
    return _shown(request, "article", {"entry": _filled(CATALOGUE[DiagnosisCode(code)])})


def _filled(entry: Entry) -> dict[str, Any]:
    """The words of an entry with its blanks filled for nobody in particular."""
    single = ("title", "cause", "what_it_is", "how_we_know", "needs", "tell_the_customer")
    words: dict[str, Any] = {name: fill(getattr(entry, name)) for name in single}
    return words | {
        "code": entry.code.value,
        "fix": [fill(step) for step in entry.fix],
        "waiting": [fill(step) for step in entry.waiting],
        "fix_by": entry.fix_by.label,
        "retry_helps": entry.retry_helps,
        "trouble": entry.trouble,
    }
