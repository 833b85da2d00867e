"""What staff set for themselves and for each other: how they see the pages, snoozes, notes, marks on failures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from connections.choices import Theme

SPANS = {
    "1h": (timedelta(hours=1), _("1 hour")),
    "4h": (timedelta(hours=4), _("4 hours")),
    "1d": (timedelta(days=1), _("1 day")),
    "1w": (timedelta(weeks=1), _("1 week")),
}
SPAN_CHOICES = [(name, word) for name, (_span, word) in SPANS.items()]


def zones() -> list[tuple[str, str]]:
    """Places that people know, UTC first; the database's old and technical names are left out."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]


class ProfileForm(forms.Form):
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zones, help_text=_("All times of the pages. Workers and the API speak UTC.")
    )
    theme = forms.ChoiceField(
        label=_("Colours"), choices=Theme.choices, help_text=_("Auto follows the system that you sit at.")
    )


class SnoozeForm(forms.Form):
    """For how long nobody has to be called, and why: the next person asks."""

    span = forms.ChoiceField(label=_("For"), choices=SPAN_CHOICES, initial="1h")
    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("A ticket, or who works on it."))


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("Note"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the next who looks at this connection. Never write a password here."),
    )  # fmt: skip


def _ignored(span: Any) -> Any:
    return format_lazy(_("Ignored for {span}"), span=span)


class MarkForm(forms.Form):
    """That somebody is on it, or that nobody needs to be for a while."""

    span = forms.ChoiceField(
        label=_("Show it as"),
        choices=[("", _("Acknowledged: somebody is on it")), *((name, _ignored(word)) for name, word in SPAN_CHOICES)],
        required=False,
    )
    reason = forms.CharField(
        label=_("Note"), max_length=300, required=False, help_text=_("A ticket, or who works on it.")
    )

    def until(self, now: datetime) -> datetime | None:
        """None: acknowledged, until it is opened again."""
        span = self.cleaned_data["span"]
        return now + SPANS[span][0] if span else None
