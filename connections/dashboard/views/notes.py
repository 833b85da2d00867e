"""Notes of staff on a connection."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from connections.custody import desk
from connections.custody.handout import find
from connections.dashboard import queries
from connections.dashboard.desk_forms import NoteForm
from connections.dashboard.rights import Asker, Right, needs
from connections.dashboard.views.detail import status_page


@require_POST
@needs(Right.OPERATE, deed="write_note")
def write(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    row = find(public_id, asker.tenants)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return status_page(request, asker, row, note_form=form, status=422)
    desk.write_note(public_id, asker.actor, tenants=asker.tenants, text=form.cleaned_data["text"])
    messages.success(request, _("The note is there."))
    return redirect(f"{row.get_absolute_url()}#notes")


@require_POST
@needs(Right.OPERATE, deed="delete_note")
def delete(request: HttpRequest, asker: Asker, public_id: str, note: int) -> HttpResponse:
    """One's own; an admin also what others wrote, since a secret may have slipped in."""
    row = find(public_id, asker.tenants)
    if not asker.may(Right.ADMINISTER) and not queries.notes_of(row).filter(pk=note, author=asker.actor.name).exists():
        raise PermissionDenied(_("Only its author or an admin deletes a note."))
    desk.delete_note(public_id, asker.actor, tenants=asker.tenants, note=note)
    messages.success(request, _("The note is gone."))
    return redirect(f"{row.get_absolute_url()}#notes")
