"""The forms of the pages about keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import Scope
from connections.custody.handout import Tenants
from connections.dashboard.forms import Tags, text
from connections.models import Tenant, database_now

LATEST = datetime(9999, 1, 1, tzinfo=UTC)


class NewKeyForm(forms.Form):
    """Who may call the worker API, and for what. `allowed`: the tenants of whoever makes it; None for all."""

    name = text(
        gettext_lazy("Name"),
        required=True,
        maxlength="150",
        help_text=gettext_lazy("Whose key it is: it stands in the history beside what was done with it."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick at least one.")},
    )  # fmt: skip
    tenants = Tags(label=gettext_lazy("Tenants"), required=False)
    expires = forms.DateField(
        label=gettext_lazy("Expires"), required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("At the end of that day, UTC. Empty: never, until it is revoked."),
    )  # fmt: skip

    def __init__(self, *args: Any, allowed: Tenants, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowed = allowed
        self.fields["tenants"].help_text = (
            _("Short names with spaces between them. Empty: all, also those that are added later.")
            if allowed is None
            else _("Short names with spaces between them, of tenants that you may see.")
        )

    def clean_tenants(self) -> list[Tenant] | None:
        """None for all."""
        slugs = list(dict.fromkeys(slug.lower() for slug in self.cleaned_data["tenants"]))
        if not slugs and self.allowed is None:
            return None
        if not slugs:
            raise forms.ValidationError(_("Name at least one of your tenants."))
        rows = Tenant.objects.filter(slug__in=slugs)
        if self.allowed is not None:
            rows = rows.filter(pk__in=self.allowed)
        found = {row.slug: row for row in rows}
        missing = [slug for slug in slugs if slug not in found]
        if missing:
            raise forms.ValidationError(_("There is no tenant %(names)s.") % {"names": ", ".join(missing)})
        return [found[slug] for slug in slugs]

    def clean_expires(self) -> datetime | None:
        day: date | None = self.cleaned_data["expires"]
        if day is None:
            return None
        moment = datetime.combine(day, time.max, UTC)
        if not database_now() < moment < LATEST:
            raise forms.ValidationError(_("That day is over already: the key would open nothing."))
        return moment


class NameForm(forms.Form):
    """Type the name: it cannot be undone."""

    name = text(gettext_lazy("Type the name to confirm"))

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if typed.strip() != self.expected.strip():
            raise forms.ValidationError(_("This is not the name: type “%(name)s”.") % {"name": self.expected})
        return typed
