"""Customers: what each has here, whether a key of its own seals it, and the end of one."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_q.tasks import async_task

from connections.custody import tenant_keys
from connections.dashboard.key_forms import NameForm
from connections.dashboard.rights import Asker, Right, must_confirm, needs, require_everywhere
from connections.dashboard.shell import page, surroundings
from connections.models import Tenant
from connections.onboarding import erasure

SECTION = "settings"
TASK = "connections.tasks.erase_tenant"


@require_safe
@needs(Right.ADMINISTER)
def tenants(request: HttpRequest, asker: Asker) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    context = {"rows": _rows(), "is_sealing": tenant_keys.is_sealing()}
    return page(request, asker, "tenants/list.html", context, section=SECTION)


def _rows() -> QuerySet[Tenant]:
    living = Count("connections", filter=Q(connections__deleted_at__isnull=True))
    return Tenant.objects.annotate(living=living).order_by("slug")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.ADMINISTER, deed="erase_tenant", is_dangerous=True)
def erase(request: HttpRequest, asker: Asker, slug: str) -> HttpResponse:
    """Each connection is logged out at Sugar, which takes its time: the background does it."""
    require_everywhere(asker, Right.ADMINISTER)
    row = get_object_or_404(_rows(), slug=slug)
    form = NameForm(request.POST or None, expected=row.slug)
    if request.method != "POST" or not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
        context = {"row": row, "form": form, "must_confirm": must_confirm(request)}
        return page(request, asker, "tenants/erase.html", context, section=SECTION, status=status)
    erasure.keys_to_destroy(row)  # says here why it cannot be done, not in a log
    async_task(TASK, row.pk, asker.actor.name, asker.actor.address, task_name="erase_tenant")
    told = _("%(tenant)s is being erased in the background. The audit says when its key is destroyed.")
    if surroundings(request, asker).is_silent:
        told = _("Waiting for the worker: %(tenant)s is erased once the background runs again.")
    messages.success(request, told % {"tenant": row.slug})
    return redirect("connections:tenants")
