"""The forms of the users page, and of whoever follows a one-time link."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_lazy as _

from connections.choices import Role
from connections.dashboard.forms import TECHNICAL, Tags
from connections.models import Tenant


class Slugs(Tags):
    """Short names of tenants, as rows."""

    def clean(self, value: Any) -> list[Tenant]:
        wanted = super().clean(value)
        found = {tenant.slug: tenant for tenant in Tenant.objects.filter(slug__in=wanted)}
        unknown = [slug for slug in wanted if slug not in found]
        if unknown:
            raise forms.ValidationError(_gettext("There is no tenant %(names)s.") % {"names": ", ".join(unknown)})
        return list(found.values())


class PersonForm(forms.Form):
    role = forms.ChoiceField(
        label=_("Role"), choices=Role.choices,
        help_text=_(
            "Viewers read. Operators also test, repair and sign in again. Auditors read, and see the audit. "
            "Admins do everything."
        ),
    )  # fmt: skip
    tenants = Slugs(
        label=_("Only these tenants"), required=False,
        help_text=_("Short names with spaces between them. Empty: all, also those that come later."),
        widget=forms.TextInput(attrs=TECHNICAL),
    )  # fmt: skip
    email = forms.EmailField(
        label=_("E-mail"), required=False, help_text=_("Where a link goes when the password was forgotten."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class NewPersonForm(PersonForm):
    username = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs=TECHNICAL),
        help_text=_("Letters, digits and @ . + - _. With single sign-on: as it is called there."),
    )  # fmt: skip
    field_order = ["username", "role", "tenants", "email"]


class SetPasswordForm(forms.Form):
    """`username` helps password managers to keep what belongs together."""

    password = forms.CharField(label=_("Password"), strip=False, help_text=_("At least twelve characters."))
    again = forms.CharField(label=_("The same once more"), strip=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password", "again"):
            attributes = {"autocomplete": "new-password", "spellcheck": "false"}
            self.fields[name].widget = forms.PasswordInput(attrs=attributes, render_value=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "again" in cleaned and cleaned.get("password") != cleaned["again"]:
            self.add_error("again", _("This is not the same password."))
        return cleaned


class FirstAdminForm(SetPasswordForm):
    username = forms.CharField(
        label=_("User name"), max_length=User._meta.get_field("username").max_length,
        widget=forms.TextInput(attrs={**TECHNICAL, "autocomplete": "username", "autofocus": True}),
    )  # fmt: skip
    field_order = ["username", "password", "again"]


class ForgottenForm(forms.Form):
    username = forms.CharField(
        label=_("User name"), max_length=150,
        widget=forms.TextInput(attrs={**TECHNICAL, "autocomplete": "username", "autofocus": True}),
    )  # fmt: skip
