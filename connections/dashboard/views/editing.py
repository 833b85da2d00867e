"""Describing a connection that is there: changed, deleted."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from connections.custody import actions
from connections.custody.handout import find
from connections.dashboard import queries
from connections.dashboard.forms import ConnectionForm, DeleteForm, DescriptionForm, IdentityForm, SecretsForm
from connections.dashboard.refusals import MOVED, explain, refuse_without_keys
from connections.dashboard.rights import Asker, Right, must_confirm, needs, reason_without, require, require_fresh
from connections.dashboard.shell import surroundings
from connections.dashboard.views.detail import connection_page
from connections.models import Connection
from connections.onboarding import registry

SECTIONS: dict[str, type[DescriptionForm] | type[IdentityForm] | type[SecretsForm]] = {
    "description": DescriptionForm,
    "identity": IdentityForm,
    "secrets": SecretsForm,
}
DANGEROUS = ("identity", "secrets", "delete")
FENCED = ("identity", "secrets")
"""What is typed there is meant for the address, platform and user that the page showed."""


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.READ, deed="edit")
def settings(request: HttpRequest, asker: Asker, public_id: str) -> HttpResponse:
    row = find(public_id, asker.tenants)
    if request.method != "POST":
        return _settings_page(request, asker, row)
    require(request, asker, Right.ADMINISTER)
    section = request.POST.get("section", "")
    if section in DANGEROUS:
        require_fresh(request)
    if section == "delete":
        return _delete(request, asker, row)
    if section not in SECTIONS:
        return _settings_page(request, asker, row, status=422)
    form = SECTIONS[section](request.POST, initial=_initial(row))
    if section in FENCED and request.POST.get("generation") != str(row.generation):
        form.refuse({"": [str(MOVED)]})
        return _settings_page(request, asker, row, form=form, section=section, status=409)
    if form.is_valid() and _edit(form, asker, row):
        messages.success(request, _saved(request, asker))
        return redirect(f"{row.get_absolute_url()}settings/")
    return _settings_page(request, asker, row, form=form, section=section, status=422)


def _saved(request: HttpRequest, asker: Asker) -> str:
    if surroundings(request, asker).is_silent:
        return _("Saved. Nothing happens before the background worker runs again: then it looks at the connection.")
    return _("Saved. Sugaradmin looks at the connection within 30 seconds.")


def _edit(form: DescriptionForm | IdentityForm | SecretsForm, asker: Asker, row: Connection) -> bool:
    given = form.entry(row)
    try:
        refuse_without_keys()
        registry.edit(row.public_id, given, asker.actor, tenants=asker.tenants, generation=row.generation)
    except (registry.InvalidFields, registry.EditRefused) as refused:
        now = {"instance_url": row.instance_url, "username": row.username, "platform": row.platform}
        explain(form, refused, asker, now | given)
        return False
    return True


def _delete(request: HttpRequest, asker: Asker, row: Connection) -> HttpResponse:
    form = DeleteForm(request.POST)
    if not form.is_valid() or form.cleaned_data["name"] != row.label:
        form.add_error("name", _("This is not the label: type “%(label)s”.") % {"label": row.label})
        return _settings_page(request, asker, row, form=form, section="delete", status=422)
    actions.delete(row.public_id, asker.actor, tenants=asker.tenants)
    messages.success(request, _("Deleted: %(label)s. Its secrets are wiped.") % {"label": row.label})
    return redirect("connections:list")


def _settings_page(
    request: HttpRequest,
    asker: Asker,
    row: Connection,
    *,
    form: ConnectionForm | None = None,
    section: str = "",
    status: int = 200,
) -> HttpResponse:
    forms: dict[str, ConnectionForm] = {name: kind(initial=_initial(row)) for name, kind in SECTIONS.items()}
    if row.client_secret is None:
        del forms["secrets"].fields["forget_client_secret"]
    forms["delete"] = DeleteForm()
    if form is not None:
        forms[section] = form
    cast(DescriptionForm, forms["description"]).offer(row, queries.owners_for(row))
    reason = "" if asker.may(Right.ADMINISTER) else reason_without(Right.ADMINISTER, asker)
    context = {"forms": forms, "reason": reason, "must_confirm": must_confirm(request)}
    return connection_page(request, asker, row, "settings", context, status=status)


def _initial(row: Connection) -> dict[str, Any]:
    """What the forms begin with: never a secret."""
    plain = (
        "label", "contact_name", "contact_email", "external_id", "server_seconds", "instance_url", "platform",
        "username", "client_id", "ca_pem", "allow_shared_platform", "store_password",
    )  # fmt: skip
    owner = row.owner.get_username() if row.owner else ""
    return {name: getattr(row, name) for name in plain} | {"tags": [tag.name for tag in row.tags.all()], "owner": owner}
