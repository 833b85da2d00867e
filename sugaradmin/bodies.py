"""How large what a browser sends may be: a page takes forms, and no form of ours is large."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sugaradmin.lanes import PagesOnly


class BodyLimit(PagesOnly):
    """Refuses by the announced length, before anything is read. Django limits the fields of a form, not the files
    beside them: anybody at the door could fill the disk. A body without a length is not read at all."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        told = str(request.META.get("CONTENT_LENGTH") or "")
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if not told.isdecimal() or int(told) <= most:
            return None
        context = {"most": most // 1024}
        return render(request, "413.html", context, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
