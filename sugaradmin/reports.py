"""Error reports without content: no local variable, form field, query or setting ever gets into one."""

from __future__ import annotations

from collections.abc import ItemsView
from types import TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from sugaradmin.logs import redact


class NothingShown(SafeExceptionReporterFilter):
    """Locals of any frame may hold a token on its way through: libraries' frames as much as ours. So none is shown."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_safe_settings(self) -> dict[str, Any]:
        return {}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        shown = ("REQUEST_METHOD", "PATH_INFO", "SUGARADMIN_REQUEST_ID")
        return {name: request.META[name] for name in shown if name in request.META}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: TracebackType
    ) -> ItemsView[str, Any]:
        return {}.items()


class PlainReport(ExceptionReporter):
    """Where it happened and in which words, redacted; the address without its query."""

    def get_traceback_data(self) -> dict[str, Any]:
        shown = super().get_traceback_data()
        shown["exception_value"] = redact(str(shown.get("exception_value", "")))
        shown["request_GET_items"] = ()
        return shown

    def _get_raw_insecure_uri(self) -> str:
        return self.request.path if self.request is not None else ""
