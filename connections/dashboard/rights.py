"""Who may do what on the pages (DESIGN section 6): one table, one gate that every view passes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import update_wrapper
from typing import Concatenate, ParamSpec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from connections.choices import Role
from connections.custody import audit
from connections.custody.audit import Actor
from connections.custody.handout import Tenants
from connections.custody.problems import CustodyProblem, NotFound
from connections.dashboard.live import Unchanged
from connections.models import Profile, Staff
from connections.signin.freshness import address_to_confirm, is_fresh

Rest = ParamSpec("Rest")
SHOWS_UTC = "shows_utc"
UTC_ZONE = ZoneInfo("UTC")
SAFE_METHODS = ("GET", "HEAD")
TARGETS = ("public_id", "draft_id", "prefix", "failure", "slug", "username")
"""Parameters of addresses that name what a denied change was about."""


class Right(StrEnum):
    READ = "read"
    OPERATE = "operate"  # test, rotate, sign in, repair, pause, resume
    ADMINISTER = "administer"  # create, edit, hold, delete
    AUDIT = "audit"


RIGHTS: dict[str, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.OPERATOR: frozenset({Right.READ, Right.OPERATE}),
    Role.ADMIN: frozenset(Right),
    Role.AUDITOR: frozenset({Right.READ, Right.AUDIT}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The signed-in person behind a request. `tenants` None: may see all."""

    actor: Actor
    role: str
    tenants: Tenants
    time_zone: str = "UTC"
    theme: str = ""
    """Empty: never chosen."""

    def may(self, right: Right) -> bool:
        return right in RIGHTS.get(self.role, frozenset())

    @property
    def may_audit(self) -> bool:
        return self.may(Right.AUDIT)

    @property
    def may_administer(self) -> bool:
        return self.may(Right.ADMINISTER)

    def may_manage_people(self) -> bool:
        """Whoever gives rights over all tenants must have them."""
        return self.may(Right.ADMINISTER) and self.tenants is None


View = Callable[Concatenate[HttpRequest, Asker, Rest], HttpResponseBase]
Guarded = Callable[Concatenate[HttpRequest, Rest], HttpResponseBase]
"""What Django calls: the asker is no longer an argument."""


def asker_of(request: HttpRequest) -> Asker:
    """Looked up once per request; a user without a staff row has no role and may do nothing."""
    known: Asker | None = getattr(request, "_asker", None)
    if known is None:
        known = _ask(request.user, request.META.get("REMOTE_ADDR") or None)
        request._asker = known  # type: ignore[attr-defined]
    return known


def _ask(user: AbstractBaseUser | AnonymousUser, address: str | None) -> Asker:
    actor = Actor(kind="staff", name=user.get_username(), address=address)
    if not isinstance(user, User):
        return Asker(actor=actor, role="", tenants=frozenset())
    known = User.objects.select_related("staff", "profile").prefetch_related("staff__tenants").get(pk=user.pk)
    staff: Staff | None = getattr(known, "staff", None)
    profile: Profile | None = getattr(known, "profile", None)
    seen: dict[str, str] = {"time_zone": profile.time_zone, "theme": profile.theme} if profile else {}
    if user.is_superuser:
        return Asker(actor=actor, role=Role.ADMIN, tenants=None, **seen)
    if staff is None:
        return Asker(actor=actor, role="", tenants=frozenset(), **seen)
    tenants = frozenset(one.pk for one in staff.tenants.all()) or None
    return Asker(actor=actor, role=staff.role, tenants=tenants, **seen)


def zone_of(request: HttpRequest, asker: Asker) -> ZoneInfo:
    """The person's own, unless UTC was asked for in this session; a name that this machine does not know is UTC."""
    if request.session.get(SHOWS_UTC):
        return UTC_ZONE
    try:
        return ZoneInfo(asker.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC_ZONE


class Stale(Exception):
    """The person must prove again who he is; `back` is the path of ours that he returns to, by GET."""

    def __init__(self, back: str) -> None:
        super().__init__("It is too long ago that this person proved who he is.")
        self.back = back


class NotThere(Http404):
    """Unknown, or another tenant's: where a change was tried it is noted like every other denial."""


def needs(
    right: Right, *, deed: str = "", is_dangerous: bool = False, is_export: bool = False
) -> Callable[[View[Rest]], Guarded[Rest]]:
    """The gate: 403 names the right that is missing; what belongs to another tenant does not exist; where custody
    refuses, the page says why.

    `deed`: what the audit calls that which is done here, so that who filters by it finds it done or denied. Of a page
    with several it is the first; empty where the address has it (`action`), or where there is nothing to do.
    `is_dangerous`: a POST also needs a proof of identity that is at most five minutes old. Without one nothing is done:
    the person is asked, and then sees the same address again by GET, which must be the page that asks for the deed.
    `is_export`: its GET takes data out of the house, and is noted like a change where it is denied.
    """

    def gate(view: View[Rest]) -> Guarded[Rest]:
        def guarded(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            asker = asker_of(request)
            try:
                require(request, asker, right)
                if is_dangerous:
                    require_fresh(request)
                with timezone.override(zone_of(request, asker)):
                    return view(request, asker, *args, **kwargs)
            except Unchanged as unchanged:
                return unchanged.response()
            except Stale as stale:
                return HttpResponseRedirect(address_to_confirm(stale.back))
            except (PermissionDenied, NotFound, NotThere) as refused:
                if is_export or request.method not in SAFE_METHODS:
                    _note_denied(request, asker, deed)
                if isinstance(refused, NotFound):
                    raise Http404(_("There is no such connection.")) from None
                raise
            except CustodyProblem as problem:
                context = {"detail": problem.detail, "code": problem.code}
                return render(request, "connections/problem.html", context, status=problem.http_status)

        update_wrapper(guarded, view)
        return guarded

    return gate


def require(request: HttpRequest, asker: Asker, right: Right) -> None:
    """Raises PermissionDenied, which `needs` notes in the audit where a change was tried."""
    if not asker.may(right):
        raise PermissionDenied(reason_without(right, asker))


def require_everywhere(asker: Asker, right: Right) -> None:
    """Raises PermissionDenied also where the right is there, but for some tenants only."""
    if not asker.may(right):
        raise PermissionDenied(reason_without(right, asker))
    if asker.tenants is not None:
        raise PermissionDenied(_("This concerns all tenants, and you may see some of them: ask an admin of all."))


def require_fresh(request: HttpRequest, *, back: str = "") -> None:
    """Raises Stale, which `needs` turns into the question who it is. For a view of which only a part is dangerous.

    Without `back` a GET passes, and a POST comes back to its own address. With it (an export: there is no page to come
    back to) every method is asked, and `back` is shown afterwards.
    """
    if request.method in SAFE_METHODS and not back:
        return
    if not is_fresh(request):
        raise Stale(back or request.get_full_path())


def must_confirm(request: HttpRequest) -> str:
    """Where to prove who one is before a dangerous form on this page is filled in; empty while that is not needed."""
    return "" if is_fresh(request) else address_to_confirm(request.get_full_path())


def _note_denied(request: HttpRequest, asker: Asker, deed: str) -> None:
    """A change that was tried, where the right is missing or the object is another tenant's: the view is left, and
    what it did is rolled back."""
    match = request.resolver_match
    given = match.kwargs if match else {}
    named = deed or str(given.get("action") or (match.url_name if match else "") or "change")
    target = next((str(given[name]) for name in TARGETS if name in given), "")
    audit.record_denied(asker.actor, named.replace("-", "_"), target=target)


def note_others(request: HttpRequest, action: str, owner: AbstractBaseUser) -> None:
    """Somebody reached for what belongs to another person: his session, his passkey. In no transaction."""
    if owner.pk != request.user.pk:
        audit.record_denied(asker_of(request).actor, action, target=owner.get_username())


def reason_without(right: Right, asker: Asker) -> str:
    """Why a button is disabled, in words a person can act on."""
    if not asker.role:
        return _("Your account has no role here yet: ask an admin to give you one.")
    role = Role(asker.role).label
    match right:
        case Right.OPERATE:
            return _("Your role (%(role)s) only reads: an operator or admin may do this.") % {"role": role}
        case Right.ADMINISTER:
            return _("Your role (%(role)s) may not do this: ask an admin.") % {"role": role}
    return _("Your role (%(role)s) may not see this.") % {"role": role}
