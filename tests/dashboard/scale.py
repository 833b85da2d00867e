"""The pages that must stay quick however large the fleet is: for the test that counts queries, and for the bench."""

from __future__ import annotations

from collections.abc import Iterator

from connections.dashboard import queries
from connections.dashboard.paging import place_of
from connections.dashboard.sorting import Sort
from connections.models import Attempt, Connection, Event


def pages() -> Iterator[tuple[str, str]]:
    """Name and address of what is measured."""
    troubled = Connection.objects.exclude(diagnosis_code="").order_by("pk")[0]
    busy = Connection.objects.filter(diagnosis_code="", version_count__gt=1).order_by("pk")[20]
    group = Attempt.objects.exclude(failure="").order_by("-pk").values_list("failure", flat=True)[0]
    event = Event.objects.filter(connection=busy).latest("number").number
    yield "overview", "/overview/"
    yield "list", "/connections/"
    for query in (
        "status=dying&status=down", "status=healthy", "tag=eu", "tag=gold&status=healthy", "tenant=amber-foods",
        "host=crm1.amber", "cause=refresh_token_superseded", "q=amber", "q=5000", "q=nothing-of-this-name",
        "owner=ana", "sort=name", "sort=-access_expires", "sort=last_success", "status=healthy&sort=last_success",
    ):  # fmt: skip
        yield f"list {query}", f"/connections/?{query}"
    deep = queries.by_urgency(None)[Connection.objects.count() * 2 // 3]
    yield "list, deep", f"/connections/?after={place_of(deep)}"
    yield "list, deep, filtered", f"/connections/?tag=eu&after={place_of(deep)}"
    order = Sort(given="last_success")
    far = order.arrange(queries.listed(None))[Connection.objects.count() * 2 // 3]
    yield "list, deep, by last success", f"/connections/?sort=last_success&after={place_of(far, order)}"
    yield "detail, troubled", troubled.get_absolute_url()
    yield "detail, well", busy.get_absolute_url()
    for tab in ("timeline/", "timeline/?span=30d", "tokens/", "attempts/", "settings/", f"events/{event}/", "audit/"):
        yield tab, f"{busy.get_absolute_url()}{tab}"
    yield "errors", "/errors/"
    yield "errors of 30 days", "/errors/?span=30d"
    yield "one error", f"/errors/{group}/"
    yield "audit", "/audit/"
    yield "audit, filtered", "/audit/?action=look&actor=bench"
    yield "api keys", "/api-keys/"
