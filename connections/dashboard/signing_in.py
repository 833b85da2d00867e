"""The forms of signing in and of one's own account: django-allauth's, in our words."""

from __future__ import annotations

from allauth.account import forms as account
from django.utils.translation import gettext_lazy as _

TECHNICAL = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}


class SignInForm(account.LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("User name")
        self.fields["login"].widget.attrs = {**TECHNICAL, "autocomplete": "username", "autofocus": True}
        _as_secret(self, "password")


class ConfirmForm(account.ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _as_secret(self, "password")
        self.fields["password"].widget.attrs["autofocus"] = True


def _as_secret(form: account.LoginForm | account.ReauthenticateForm, name: str) -> None:
    """Password managers and pasting are welcome; a placeholder that repeats the label is not."""
    field = form.fields[name]
    field.label, field.help_text = _("Password"), ""
    field.widget.attrs = {"autocomplete": "current-password", "spellcheck": "false"}
