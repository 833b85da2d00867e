"""How long history is kept, and what is due to go."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connections.custody import pruning
from connections.dashboard.rights import Asker, Right, needs, require_everywhere
from connections.dashboard.shell import page

SECTION = "settings"


@require_safe
@needs(Right.ADMINISTER)
def retention(request: HttpRequest, asker: Asker) -> HttpResponse:
    require_everywhere(asker, Right.ADMINISTER)
    config = settings.SUGARADMIN
    context = {
        "due": pruning.due(),
        "newest_kept": pruning.NEWEST_KEPT,
        "days": config.retention.days,
        "audit_days": config.audit_retention.days,
    }
    return page(request, asker, "settings/retention.html", context, section=SECTION)
