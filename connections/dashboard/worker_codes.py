"""The codes of the worker API that are no diagnosis: what a worker's author finds behind a problem's `type`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCode:
    """One answer of the API that is about the call, not about the instance."""

    code: str
    status: int
    title: StrPromise
    meaning: StrPromise
    steps: tuple[StrPromise, ...]


WORKER_CODES: dict[str, WorkerCode] = {
    one.code: one
    for one in (
        WorkerCode(
            code="draft", status=409, title=_("The connection has never signed in"),
            meaning=_("It was described, but no sign-in has succeeded yet, so there is no token to hand out."),
            steps=(
                _("Open the connection and press “Sign in again”: the page says what Sugar answered."),
                _("A worker need not ask again before a person has done that."),
            ),
        ),
        WorkerCode(
            code="paused", status=409, title=_("The connection is paused"),
            meaning=_(
                "Staff paused it. A living token is still handed out; this one has ended, and no refresh is made for "
                "workers while the pause lasts. The chain itself is kept alive."
            ),
            steps=(_("Ask the staff who paused it, or press “Resume” on the connection."),),
        ),
        WorkerCode(
            code="held", status=409, title=_("The connection is held"),
            meaning=_("An admin put it on hold: nothing leaves for this instance and nothing is handed out."),
            steps=(_("Ask an admin to resume it. Its chain ends when its refresh token does; the page says when."),),
        ),
        WorkerCode(
            code="busy", status=503, title=_("A refresh is under way"),
            meaning=_(
                "Another attempt for this instance, user and platform is open. Two at once could end each other's "
                "session, so the second one waits. After an edit or a delete this lasts until the server must be done."
            ),
            steps=(_("Ask again after the seconds in Retry-After. The token will be there, or a better reason."),),
        ),
        WorkerCode(
            code="connection_exists", status=409, title=_("Another connection keeps this instance, user and platform"),
            meaning=_(
                "Sugar keeps one live session for each user and platform. Two connections on the same three would end "
                "each other's session with every refresh, so the second one is refused."
            ),
            steps=(
                _("Use the connection that exists, or register another platform in Sugar for this one."),
                _("User and platform are compared without case."),
            ),
        ),
        WorkerCode(
            code="read_only", status=409, title=_("Custody is read-only"),
            meaning=_(
                "This database looks like a copy of another installation, or its keys do not fit. Two installations "
                "on the same tokens would destroy them, so no grant is made until an operator has confirmed. Living "
                "tokens are still handed out."
            ),
            steps=(
                _("Open System health: it names what was noticed."),
                _("If this is the only installation that runs on this data, the operator confirms it; else one stops."),
            ),
        ),
        WorkerCode(
            code="too_many_requests", status=429, title=_("Too fast"),
            meaning=_(
                "Either the API key sent more requests a second than it may, or this user has been signed in by hand "
                "five times within the hour: more could lock the account."
            ),
            steps=(
                _("Wait for the seconds in Retry-After."),
                _("Keep a token until it ends instead of asking before each call; the client library does so."),
            ),
        ),
        WorkerCode(
            code="too_large", status=413, title=_("The body is too large"),
            meaning=_("A request may carry at most 1 MiB."),
            steps=(_("Send less. Only the text of a report and a certificate can be long; both have limits."),),
        ),
        WorkerCode(
            code="unauthorized", status=401, title=_("No API key, or one that is not valid"),
            meaning=_("The header is missing, or the key is unknown, expired or revoked. Which of these is not said."),
            steps=(
                _("Send the key as “Authorization: Bearer sga_…”."),
                _("Ask an admin for a new key; a key is shown only once, when it is made."),
            ),
        ),
        WorkerCode(
            code="scope_missing", status=403, title=_("The key lacks a scope"),
            meaning=_("The key is valid, but was not given the right that this call needs. The answer names it."),
            steps=(_("Ask an admin for a key with that scope: token:read, connections:read or :write, events:read."),),
        ),
        WorkerCode(
            code="not_found", status=404, title=_("No such connection, tenant or address"),
            meaning=_("It does not exist, was deleted, or belongs to a tenant that this key may not see."),
            steps=(_("Check the id: it begins with c_ and stays the same for the life of the connection."),),
        ),
        WorkerCode(
            code="invalid", status=422, title=_("The input is not right"),
            meaning=_("Nothing was stored or done. The answer carries “errors” with sentences for each field."),
            steps=(_("Correct the fields named there and send the call again."),),
        ),
    )
}  # fmt: skip
