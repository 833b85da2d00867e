"""One connection: five tabs, each its own address; one event, one attempt, the support bundle."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from connections.custody.handout import find
from connections.custody.problems import NotFound
from connections.dashboard import bundle, doings, exchange, queries, wording
from connections.dashboard.desk_forms import NoteForm
from connections.dashboard.lineage import lineage
from connections.dashboard.rights import Asker, Right, needs
from connections.dashboard.shell import compare_page, page
from connections.dashboard.views.gone import tombstone
from connections.models import Attempt, Connection
from connections.onboarding import links

EVENTS_SHOWN = 8
NOTES_SHOWN = 20
PAGE_SIZE = 50


def look(request: HttpRequest, asker: Asker, public_id: str) -> Connection:
    """The connection of a page that stays fresh. Raises Unchanged where a poll has seen it as it is."""
    row: Any = find(public_id, asker.tenants)
    row.open_grant = queries.open_grant(row)
    row.mark = compare_page(request, asker, *_facts(row))
    return row  # type: ignore[no-any-return]  # annotated by find


def _facts(row: Any) -> tuple[object, ...]:
    """Whatever happens to a connection moves one of these; while a grant runs, its seconds are shown too."""
    running = row.open_grant
    return (
        row.pk, row.status, wording.is_snoozed(row), row.event_count, row.attempt_count, row.version_count,
        row.last_used_at, row.due_at, row.next_refresh_at, running and (running.state, running.lost_at, row.now.second),
    )  # fmt: skip


def connection_page(
    request: HttpRequest, asker: Asker, row: Connection, tab: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """What all tabs share: who it is, how it is, what can be done. A row from `look` makes a page that stays fresh."""
    mark = getattr(row, "mark", "")
    running = row.open_grant if mark else queries.open_grant(row)  # type: ignore[attr-defined]  # set by look
    shared = {
        "row": row,
        "tab": tab,
        "sentence": wording.status_sentence(row),
        "board": doings.board(row, asker, running),
        "tags": list(row.tags.all()),
        "is_snoozed": wording.is_snoozed(row),
        "set_up": queries.draft_of(row) if asker.may(Right.ADMINISTER) else None,
    }
    return page(
        request, asker, f"detail/{tab}.html", shared | context, section="connections", status=status, mark=mark,
        live_at=request.get_full_path() if mark else "", is_busy=running is not None,
    )  # fmt: skip


@require_safe
@needs(Right.READ)
def status(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    """Everything that a ticket needs, on one screen."""
    try:
        row = look(request, asker, public_id)
    except NotFound:
        return tombstone(request, asker, public_id)
    return status_page(request, asker, row)


def status_page(
    request: HttpRequest, asker: Asker, row: Connection, *, note_form: NoteForm | None = None, status: int = 200
) -> HttpResponse:
    looks = links.of_connection(row)
    context = {
        "diagnosis": row.diagnosis,
        "diagnosed_at": queries.diagnosed_at(row),
        "meaning": wording.meaning(row),
        "fix_by": wording.who_acts(row),
        "customer_words": wording.customer_words(row),
        "session_check": wording.session_check(row),
        "why_not_repaired": wording.why_not_repaired(row),
        "remedies": wording.remedies(row),
        "link_offered": wording.link_offered(row),
        "looks": [one for one in looks if one.is_open],
        "asked_at": links.new_one_wanted_at(looks),
        "may_operate": asker.may(Right.OPERATE),
        "may_edit": asker.may(Right.ADMINISTER),
        "events": list(queries.events_of(row)[:EVENTS_SHOWN]),
        "live": queries.live_version(row),
        "notes": list(queries.notes_of(row)[:NOTES_SHOWN]),
        "note_form": note_form or NoteForm(),
    }
    return connection_page(request, asker, row, "status", context, status=status)


@require_safe
@needs(Right.READ)
def tokens(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    row = look(request, asker, public_id)
    context = older(request, queries.versions_of(row))
    context["nodes"] = lineage(row, context["rows"])
    return connection_page(request, asker, row, "tokens", context)


@require_safe
@needs(Right.READ)
def attempts(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    row = look(request, asker, public_id)
    return connection_page(request, asker, row, "attempts", older(request, queries.attempts_of(row)))


def older(request: HttpRequest, rows: Any) -> dict[str, Any]:
    """A page of numbered rows, newest first, from below `before`."""
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 10:
        rows = rows.filter(number__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return {"rows": shown, "before": before, "older": shown[-1].number if len(found) > PAGE_SIZE else None}


@require_safe
@needs(Right.READ)
def attempt(request: HttpRequest, asker: Asker, public_id: str, number: int) -> HttpResponse:
    row = find(public_id, asker.tenants)
    found = queries.attempts_of(row).filter(number=number).first()
    if found is None:
        raise Http404(_("There is no such attempt, or it was pruned."))
    context = {
        **_exchange(row, found),
        **_neighbours(row, "attempt", number, newest=row.attempt_count),
        "events": list(queries.events_of(row).filter(attempt=number)[:PAGE_SIZE]),
    }
    return connection_page(request, asker, row, "attempt", context)


def _exchange(row: Connection, attempt: Attempt) -> dict[str, Any]:
    """What was sent and what came back, for the page of an attempt and for those of its events."""
    return {
        "attempt": attempt,
        "checks": attempt.report.get("checks", []),
        "exchanges": exchange.exchanges(row, attempt),
    }


def _neighbours(row: Connection, name: str, number: int, *, newest: int) -> dict[str, str]:
    around = {"older": number - 1, "newer": number + 1}
    return {
        word: reverse(f"connections:{name}", args=[row.public_id, one])
        for word, one in around.items()
        if 1 <= one <= newest
    }


@require_safe
@needs(Right.READ)
def event(request: HttpRequest, asker: Asker, public_id: str, number: int) -> HttpResponse:
    row = find(public_id, asker.tenants)
    found = queries.events_of(row).filter(number=number).first()
    if found is None:
        raise Http404(_("There is no such event, or it was pruned."))
    caused = queries.attempts_of(row).filter(number=found.attempt).first() if found.attempt else None
    context = {
        **(_exchange(row, caused) if caused else {}),
        **_neighbours(row, "event", number, newest=row.event_count),
        "event": found,
    }
    return connection_page(request, asker, row, "event", context)


@require_safe
@needs(Right.READ)
def support_bundle(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    row = find(public_id, asker.tenants)
    name = f"sugaradmin-{row.public_id}.md"
    return HttpResponse(
        bundle.bundle(row),
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
