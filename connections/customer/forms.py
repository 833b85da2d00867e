"""The one thing a customer types."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LONGEST = 1024


def _without_control_characters(value: str) -> None:
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise ValidationError(_("A line break or another control character came with it. Paste the password alone."))


class PasswordForm(forms.Form):
    """Goes in and never comes out: the input is rendered empty, whatever was typed before."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=LONGEST,
        validators=[_without_control_characters],
        error_messages={"required": _("Type the password first.")},
        widget=forms.PasswordInput(
            render_value=False,
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
        ),
    )
