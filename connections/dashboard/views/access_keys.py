"""Keys of workers: the list, a new one whose secret is shown once, and the end of one."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from connections.dashboard import queries
from connections.dashboard.key_forms import NameForm, NewKeyForm
from connections.dashboard.rights import Asker, NotThere, Right, must_confirm, needs
from connections.dashboard.shell import page
from connections.models import ApiKey, database_now
from connections.onboarding import api_keys

SECTION = "api_keys"
TICKET = re.compile(r"[0-9a-f]{16}")
TICKET_SECONDS = 24 * 3600
MOST_SHOWN = 500


@require_safe
@needs(Right.ADMINISTER)
def index(request: HttpRequest, asker: Asker) -> HttpResponse:
    now = database_now()
    keys = list(api_keys.visible_keys(asker.tenants)[:MOST_SHOWN])
    over = [key for key in keys if key.is_over(now)]
    context = {"keys": [key for key in keys if not key.is_over(now)], "over": over}
    return page(request, asker, "api_keys/list.html", context, section=SECTION)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.ADMINISTER, deed="create_api_key", is_dangerous=True)
def new(request: HttpRequest, asker: Asker) -> HttpResponse:
    """The answer of the POST is the only page that ever shows the secret. Sent twice, the form makes one key."""
    if request.method != "POST":
        return _ask(request, asker, NewKeyForm(allowed=asker.tenants, initial=_like(request, asker)))
    form = NewKeyForm(request.POST, allowed=asker.tenants)
    if not form.is_valid():
        return _ask(request, asker, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if not _takes_ticket(request):
        messages.warning(request, _("This form was sent already: the key was made once, and its secret shown once."))
        return redirect("connections:api_keys")
    given = form.cleaned_data
    issued = api_keys.issue(
        given["name"], given["scopes"], asker.actor, tenants=given["tenants"], expires_at=given["expires"]
    )
    context = {"row": issued.row, "secret": issued.key, "address": f"{settings.SUGARADMIN.base_url}/api/v1/connections"}
    return page(request, asker, "api_keys/made.html", context, section=SECTION, status=HTTPStatus.CREATED)


def _ask(request: HttpRequest, asker: Asker, form: NewKeyForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    context = {
        "form": form,
        "ticket": secrets.token_hex(8),
        "tenant_slugs": queries.tenant_slugs(asker.tenants),
        "must_confirm": must_confirm(request),
    }
    return page(request, asker, "api_keys/new.html", context, section=SECTION, status=status)


def _takes_ticket(request: HttpRequest) -> bool:
    """Each form that was shown makes one key, however often and however fast it is sent."""
    ticket = request.POST.get("ticket", "")
    if not TICKET.fullmatch(ticket):
        return False
    return bool(cache.add(f"api_key_ticket.{request.user.pk}.{ticket}", "taken", timeout=TICKET_SECONDS))


def _like(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """A successor begins with what the old key may do, so that both live while the worker is changed over."""
    row = api_keys.visible_keys(asker.tenants).filter(prefix=request.GET.get("like", "").replace("\0", "")).first()
    if row is None:
        return {"scopes": ["token:read"]}
    return {"name": row.name, "scopes": row.scopes, "tenants": [tenant.slug for tenant in row.tenants.all()]}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.ADMINISTER, deed="revoke_api_key", is_dangerous=True)
def revoke(request: HttpRequest, asker: Asker, prefix: str) -> HttpResponse:
    row = _find(asker, prefix)
    form = NameForm(request.POST or None, expected=row.name)
    if request.method != "POST" or not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
        context = {"row": row, "form": form, "must_confirm": must_confirm(request)}
        return page(request, asker, "api_keys/revoke.html", context, section=SECTION, status=status)
    if api_keys.revoke(row, asker.actor):
        messages.success(
            request, _("Revoked: %(name)s. Every process refuses it within a second.") % {"name": row.name}
        )
    else:
        messages.success(request, _("%(name)s was revoked before.") % {"name": row.name})
    return redirect("connections:api_keys")


def _find(asker: Asker, prefix: str) -> ApiKey:
    row = api_keys.visible_keys(asker.tenants).filter(prefix=prefix).first()
    if row is None:
        raise NotThere(_("There is no such key."))
    return row
