"""The wizard: address, platform, credentials, test, done. Each step is saved, and taken up by whoever may create."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from connections.choices import BUILT_IN_PLATFORMS
from connections.custody import lent
from connections.custody.handout import find
from connections.dashboard import doings, queries, wizard
from connections.dashboard.forms import AddressForm, ConnectionForm, CredentialsForm, LabelsForm, PlatformForm
from connections.dashboard.refusals import explain, refuse_without_keys
from connections.dashboard.rights import Asker, Right, needs
from connections.dashboard.shell import page
from connections.dashboard.wording import duration, title_of
from connections.models import Connection, Draft
from connections.onboarding import collisions, drafts, registry, trial
from connections.onboarding.pacing import TooManyLooks

METHODS = ["GET", "HEAD", "POST"]


def _page(
    request: HttpRequest, asker: Asker, draft: Draft | None, step: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    shared: dict[str, Any] = {"draft": draft, "stages": wizard.stages(draft, step), "step": step}
    if draft is not None:
        shared |= {"ends_at": drafts.ends_at(draft), "seen": drafts.fence_of(draft)}
    template = f"wizard/{step}.html"
    return page(request, asker, template, shared | context, section="connections", status=status)


def _elsewhere(draft: Draft) -> HttpResponse | None:
    """What has signed in is changed in its settings; what has expired is gone."""
    if draft.expired_at is not None or (draft.connection is not None and draft.connection.version_count):
        return redirect("connections:draft", draft.public_id)
    return None


def _is_done(form: ConnectionForm, asker: Asker, entry: dict[str, Any], change: Callable[[], object]) -> bool:
    """Makes the change; where it is refused the form says why."""
    try:
        refuse_without_keys()
        change()
    except registry.InvalidTenant:
        form.add_error("tenant", _("You may not see such a tenant."))
    except (registry.InvalidFields, registry.EditRefused) as refused:
        explain(form, refused, asker, entry)
    else:
        return True
    return False


def _look(request: HttpRequest, look: Callable[[], None]) -> None:
    """A look that is refused leaves what was saved as it is."""
    try:
        look()
    except TooManyLooks as refused:
        text = _("Saved, but not looked at: you had us look at many addresses. Try again in %(seconds)d seconds.")
        messages.warning(request, text % {"seconds": refused.retry_after})
    except registry.EditRefused:
        messages.warning(request, _("Another connection keeps the address that this one leads to."))


def _has_moved(request: HttpRequest, draft: Draft) -> bool:
    """The form was made before the last change of the draft, or has been carried out already. The password in it was
    meant for what was on that page, and is not used for another."""
    return request.POST.get("seen") != drafts.fence_of(draft)


# -- 1: the address ------------------------------------------------------------------------------------------


@require_http_methods(METHODS)
@needs(Right.ADMINISTER, deed="create_draft")
def new(request: HttpRequest, asker: Asker) -> HttpResponse:
    if request.method != "POST":
        return _address_page(request, asker, None, AddressForm(initial={"tenant": request.GET.get("tenant", "")}))
    form = AddressForm(request.POST)
    begun: list[Draft] = []
    if form.is_valid():
        entry = form.entry()
        slug = form.cleaned_data["tenant"]
        _is_done(
            form, asker, entry, lambda: begun.append(drafts.begin(slug, entry, asker.actor, tenants=asker.tenants))
        )
    if not begun:
        return _address_page(request, asker, None, form, status=422)
    _look(request, lambda: drafts.look(begun[0], asker.actor, tenants=asker.tenants))
    return redirect("connections:draft_address", begun[0].public_id)


@require_http_methods(METHODS)
@needs(Right.ADMINISTER, deed="look_at_instance")
def address(request: HttpRequest, asker: Asker, draft_id: str) -> HttpResponse:
    draft = drafts.find(draft_id, asker.tenants)
    if (elsewhere := _elsewhere(draft)) is not None:
        return elsewhere
    if request.method != "POST":
        return _address_page(request, asker, draft, _address_form(draft))
    form = _address_form(draft, request.POST)
    given = form.entry() if form.is_valid() else {}
    if form.errors or not _is_done(form, asker, _triple(draft) | given, lambda: _describe(draft, given, asker)):
        return _address_page(request, asker, draft, form, status=422)
    _look(request, lambda: drafts.look(draft, asker.actor, tenants=asker.tenants))
    return redirect("connections:draft_address", draft.public_id)


def _describe(draft: Draft, given: dict[str, Any], asker: Asker) -> None:
    drafts.describe(draft, given, asker.actor, tenants=asker.tenants)


def _triple(draft: Draft) -> dict[str, Any]:
    username = draft.connection.username if draft.connection else ""
    return {"instance_url": draft.instance_url, "platform": draft.platform, "username": username}


def _address_form(draft: Draft, data: Any = None) -> AddressForm:
    """The tenant is chosen once: what is sealed is bound to it."""
    form = AddressForm(data, initial={name: getattr(draft, name) for name in ("label", "instance_url", "ca_pem")})
    del form.fields["tenant"]
    return form


def _address_page(
    request: HttpRequest, asker: Asker, draft: Draft | None, form: AddressForm, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "tenant_slugs": queries.tenant_slugs(asker.tenants)}
    if draft is not None:
        besides = draft.connection.pk if draft.connection else None
        seen, hidden = collisions.neighbours(asker.tenants, host=drafts.host_of(draft), besides=besides)
        context |= {"neighbours": seen, "has_hidden": hidden > 0, "is_sugar": wizard.is_sugar(draft.findings)}
        context["next_url"] = wizard.step_url(draft, "platform")
    return _page(request, asker, draft, "address", context, status=status)


# -- 2: the platform -----------------------------------------------------------------------------------------


@require_http_methods(METHODS)
@needs(Right.ADMINISTER, deed="check_platform")
def platform(request: HttpRequest, asker: Asker, draft_id: str) -> HttpResponse:
    draft = drafts.find(draft_id, asker.tenants)
    if (elsewhere := _elsewhere(draft)) is not None:
        return elsewhere
    if request.method != "POST":
        given = {"platform": draft.platform or drafts.suggested_platform(draft)}
        form = PlatformForm(initial=given | {"allow_shared_platform": draft.allow_shared_platform})
        return _platform_page(request, asker, draft, form)
    form = PlatformForm(request.POST)
    entry = form.entry() if form.is_valid() else {}
    if form.errors or not _is_done(form, asker, _triple(draft) | entry, lambda: _describe(draft, entry, asker)):
        return _platform_page(request, asker, draft, form, status=422)
    if "check" not in request.POST:
        return redirect("connections:draft_credentials", draft.public_id)
    _look(request, lambda: drafts.check_platform(draft, asker.actor))
    return redirect("connections:draft_platform", draft.public_id)


def _platform_page(
    request: HttpRequest, asker: Asker, draft: Draft, form: PlatformForm, *, status: int = 200
) -> HttpResponse:
    typed = str(form["platform"].value() or "").strip()
    context = {"form": form, "typed": typed, "is_built_in": typed.lower() in BUILT_IN_PLATFORMS}
    return _page(request, asker, draft, "platform", context, status=status)


# -- 3: the credentials --------------------------------------------------------------------------------------


@sensitive_post_parameters()
@require_http_methods(METHODS)
@needs(Right.ADMINISTER, deed="edit_draft")
def credentials(request: HttpRequest, asker: Asker, draft_id: str) -> HttpResponse:
    draft = drafts.find(draft_id, asker.tenants)
    if (elsewhere := _elsewhere(draft)) is not None:
        return elsewhere
    if not draft.platform:
        return redirect("connections:draft_platform", draft.public_id)
    form = _credentials_form(request, draft, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, asker, draft, "credentials", {"form": form})
    if _has_moved(request, draft):
        return _page(request, asker, draft, "credentials", {"form": form, "has_moved": True}, status=409)
    if not _sign_up(request, asker, draft, form, is_password_needed="later" not in request.POST):
        return _page(request, asker, draft, "credentials", {"form": form}, status=422)
    if "later" in request.POST:
        messages.success(request, _("Saved as a draft: it has not signed in yet."))
        return redirect("connections:list")
    return redirect("connections:draft_review", draft.public_id)


def _credentials_form(request: HttpRequest, draft: Draft, data: Any = None) -> CredentialsForm:
    row = draft.connection
    if row is None:
        return CredentialsForm(data, initial={"client_id": "sugar", "store_password": True})
    form = CredentialsForm(data, initial=_typed(row))
    until = _lent_until(request, row)
    if until:
        form.fields["password"].help_text = until
    if row.client_secret is not None:
        form.fields["client_secret"].help_text = _("Empty: the one that is stored is used.")
    return form


def _typed(row: Connection) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("username", "client_id", "store_password")}


def _lent_until(request: HttpRequest, row: Connection) -> str:
    """Typed in this session a while ago, so it need not be typed again."""
    until = lent.lent_until(row, _session(request))
    if until is None:
        return _("Empty: the stored password is used.") if row.password is not None else ""
    text = _("Empty: the one you typed is used. It is kept until %(at)s UTC, for this browser session alone.")
    return text % {"at": f"{until:%H:%M}"}


def _session(request: HttpRequest) -> str:
    return request.session.session_key or ""


def _sign_up(
    request: HttpRequest, asker: Asker, draft: Draft, form: CredentialsForm, *, is_password_needed: bool
) -> bool:
    """False: the form says why."""
    if not form.is_valid():
        return False
    given, row = form.entry(), draft.connection
    is_same = row is not None and (row.username, row.client_id) == (given.username, given.client_id)
    is_known = is_same and row is not None and bool(_lent_until(request, row))
    if is_password_needed and not given.password and not is_known:
        form.add_error("password", _("Needed for the test. Or save a draft, and go on when you have it."))
        return False
    entry = _triple(draft) | {"username": given.username}
    session = _session(request)
    return _is_done(
        form, asker, entry, lambda: drafts.sign_up(draft, given, asker.actor, tenants=asker.tenants, session=session)
    )


# -- 4 and 5: the test, and done -----------------------------------------------------------------------------


@sensitive_post_parameters()
@require_http_methods(METHODS)
@needs(Right.ADMINISTER, deed="create")
def review(request: HttpRequest, asker: Asker, draft_id: str) -> HttpResponse:
    draft = drafts.find(draft_id, asker.tenants)
    if draft.expired_at is not None or draft.connection is None:
        return redirect("connections:draft", draft.public_id)
    if trial.is_proven(draft):
        return _done(request, asker, draft)
    if request.method != "POST":
        return _review_page(request, asker, draft)
    if _has_moved(request, draft):
        return _review_page(request, asker, draft, has_moved=True, status=409)
    if "username" in request.POST:
        form = _credentials_form(request, draft, request.POST)
        if not _sign_up(request, asker, draft, form, is_password_needed=True):
            return _review_page(request, asker, draft, form=form, status=422)
    take = trial.take_step if "one" in request.POST else trial.take_all
    take(draft, asker.actor, tenants=asker.tenants, session=_session(request))
    return redirect("connections:draft_review", draft.public_id)


def _review_page(
    request: HttpRequest,
    asker: Asker,
    draft: Draft,
    *,
    form: CredentialsForm | None = None,
    has_moved: bool = False,
    status: int = 200,
) -> HttpResponse:
    assert draft.connection is not None
    row = find(draft.connection.public_id, asker.tenants)
    failed = wizard.failed(draft)
    context = {
        "row": row,
        "lines": wizard.checklist(draft),
        "goes_on": wizard.goes_on(draft),
        "failed": failed,
        "has_moved": has_moved,
        "diagnosis": row.diagnosis if failed else None,
        "effect": wizard.effect(row),
        "refused": doings.refused_tries(row),
        "warnings": [] if row.version_count else _warnings(asker, row),
        "password_kept": _lent_until(request, row),
        "is_refused": form is not None,
        "form": form or (_again_form(request, draft, failed) if failed and not row.version_count else None),
    }
    return _page(request, asker, draft, "review", context, status=status)


def _warnings(asker: Asker, row: Connection) -> list[tuple[str, Connection | None]]:
    found = collisions.collisions(
        asker.tenants,
        host=row.host,
        url=row.instance_url,
        username=row.username,
        platform=row.platform,
        besides=row.pk,
    )
    return [(wizard.warning_of(one), one.other) for one in found]


def _again_form(request: HttpRequest, draft: Draft, failed: dict[str, Any]) -> CredentialsForm:
    """What was typed, with what Sugar said of it beside the password."""
    assert draft.connection is not None
    typed = _typed(draft.connection)
    form = _credentials_form(request, draft, {name: value for name, value in typed.items() if value})
    if form.is_valid() and failed["code"] in wizard.OF_THE_PASSWORD:
        form.add_error("password", f"{title_of(failed['code'])}.")
    return form


def _done(request: HttpRequest, asker: Asker, draft: Draft) -> HttpResponse:
    assert draft.connection is not None
    row = find(draft.connection.public_id, asker.tenants)
    form = LabelsForm(request.POST if request.method == "POST" else None, initial=_labels(row))
    form.offer(row, queries.owners_for(row))
    status = 200
    if request.method == "POST":
        entry = form.entry() if form.is_valid() else {}
        edit = lambda: registry.edit(row.public_id, entry, asker.actor, tenants=asker.tenants)  # noqa: E731
        if not form.errors and _is_done(form, asker, entry, edit):
            messages.success(request, _("Saved."))
            return redirect("connections:draft_review", draft.public_id)
        status = 422
    context = {
        "row": row,
        "form": form,
        "lines": wizard.checklist(draft),
        "snippets": wizard.SNIPPETS.items(),
        "base": wizard.base_url(request),
        "first_refresh": row.next_refresh_at,
        "is_well": wizard.is_well(row),
    }
    return _page(request, asker, draft, "done", context, status=status)


def _labels(row: Connection) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in ("contact_name", "contact_email", "external_id")}
    owner = row.owner.get_username() if row.owner else ""
    return plain | {"tags": [tag.name for tag in row.tags.all()], "owner": owner}


# -- the draft itself ----------------------------------------------------------------------------------------


@require_http_methods(METHODS)
@needs(Right.ADMINISTER, deed="discard_draft")
def draft(request: HttpRequest, asker: Asker, draft_id: str) -> HttpResponse:
    """Its link, as given to a colleague: leads to where it was left. A POST discards it."""
    found = drafts.find(draft_id, asker.tenants)
    if found.expired_at is not None:
        context = {"draft": found, "life": duration(drafts.LIFE)}
        return page(request, asker, "wizard/expired.html", context, section="connections", status=410)
    if request.method != "POST":
        return redirect(wizard.step_url(found, wizard.where_left(found)))
    if found.connection is not None and found.connection.version_count:
        return redirect(found.connection)
    drafts.discard(found, asker.actor, tenants=asker.tenants)
    messages.success(request, _("Discarded: %(label)s.") % {"label": found.label})
    return redirect("connections:list")
