"""The forms of signing in and of one's own account: django-allauth's, in our words."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext_lazy as _

from connections.signin import codes

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


CODE_INPUT = {"autocomplete": "one-time-code", "inputmode": "numeric", **TECHNICAL}


class OnceOnly(forms.Form):
    """Mixed in before a form that checks a code: the same code is not taken twice while its half minutes last."""

    user: AbstractBaseUser

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code")
        self.fields["code"].help_text = _("From your authenticator app, or one of your recovery codes.")
        self.fields["code"].widget.attrs = {**CODE_INPUT, "autofocus": True}

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]  # of the form behind the mixin
        if not codes.use_up(self.user, code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(OnceOnly, base.AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    pass


class ConfirmCodeForm(OnceOnly, base.ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    pass


class AddTotpForm(totp.ActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """django-allauth's, but what the app is set up with waits sealed in the session, not in plain."""

    def __init__(self, *args: Any, user: AbstractBaseUser, **kwargs: Any) -> None:
        self.user = user
        forms.Form.__init__(self, *args, **kwargs)
        self.secret = codes.pending_secret(context.request.session, is_new=not self.is_bound)
        self.fields["code"].label = _("Code that the app shows now")
        self.fields["code"].widget.attrs = dict(CODE_INPUT)


def _name() -> forms.CharField:
    help_text = _("So that you know it again: “office laptop”, “blue key”.")
    return forms.CharField(label=_("Name"), required=False, max_length=60, help_text=help_text)


class AddPasskeyForm(webauthn.AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    name = _name()
    passwordless = forms.BooleanField(
        label=_("Sign in with it alone"), required=False, initial=True,
        help_text=_("It checks a fingerprint, a face or a PIN, and no password is asked. Untick it for a plain key."),
    )  # fmt: skip


class RenamePasskeyForm(webauthn.EditWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    name = forms.CharField(label=_("Name"), max_length=60)


class ChangePasswordForm(account.ChangePasswordForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {
            "oldpassword": (_("Present password"), "current-password"),
            "password1": (_("New password"), "new-password"),
            "password2": (_("The same once more"), "new-password"),
        }
        for name, (label, autocomplete) in words.items():
            self.fields[name].label = label
            self.fields[name].widget.attrs = {"autocomplete": autocomplete, "spellcheck": "false"}
        self.fields["oldpassword"].help_text = ""
        self.fields["password1"].help_text = _("At least twelve characters.")
