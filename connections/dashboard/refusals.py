"""Why the registry or the database refuses what was typed, beside the field it is about."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.custody import guard
from connections.dashboard import queries
from connections.dashboard.forms import ConnectionForm
from connections.dashboard.rights import Asker
from connections.onboarding import registry

MOVED = gettext_lazy("Address, platform or user were changed while you looked: look again, then type it once more.")


def refuse_without_keys() -> None:
    """Nothing could be sealed: said here, before anything is written."""
    trouble = guard.key_trouble()
    if trouble:
        raise registry.InvalidFields({"": [trouble]}, "encryption_key_missing")


def explain(form: ConnectionForm, refused: Exception, asker: Asker, entry: dict[str, Any]) -> None:
    """A refusal of the registry or the database, beside the field it is about."""
    match refused:
        case registry.InvalidFields():
            form.refuse(refused.errors)
        case registry.ExternalIdTaken():
            form.refuse({"external_id": [_("Another connection of this tenant has this external id.")]})
        case registry.Moved():
            form.refuse({"": [str(MOVED)]})
        case registry.TripleBusy():
            form.refuse({"": [_busy(refused.retry_after)]})
        case _:
            form.refuse({"platform": [_taken(asker, entry)]})


def _busy(seconds: int) -> str:
    text = ngettext(
        "A grant for this instance, user and platform is still under way. Try again in %(count)d second.",
        "A grant for this instance, user and platform is still under way. Try again in %(count)d seconds.",
        seconds,
    )
    return text % {"count": seconds}


def _taken(asker: Asker, entry: dict[str, Any]) -> str:
    """Names the other connection only to who may see it."""
    text = _("Another connection uses this instance, user and platform: each would end the session of the other.")
    url, username, platform = (str(entry.get(name, "")) for name in ("instance_url", "username", "platform"))
    other = queries.same_triple(asker.tenants, url=url, username=username, platform=platform)
    return f"{text} {other.label} ({other.public_id})" if other else text
