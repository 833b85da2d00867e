"""The forms of the pages. They shape input; what is right is decided by `onboarding.registry`, once for everybody.

Secrets go in and never come out: their inputs are rendered empty, whatever was typed before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Self, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from connections.models import Connection
from connections.onboarding.drafts import Credentials

TECHNICAL = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false", "autocomplete": "off"}


class SecretInput(forms.PasswordInput):
    """Write-only, and not filled in by the browser with somebody's own password."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password", "spellcheck": "false"}, render_value=False)


class Tags(forms.CharField):
    """Words with commas or spaces between them."""

    def to_python(self, value: Any) -> Any:
        return [word for word in re.split(r"[\s,\0]+", str(value or "")) if word]

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, (list, tuple)) else value


def text(label: Any, *, help_text: Any = "", required: bool = False, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={**TECHNICAL, **attrs})
    return forms.CharField(label=label, help_text=help_text, required=required, widget=widget)


def secret(label: Any, *, help_text: Any = "") -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, required=False, strip=False, widget=SecretInput())


class ConnectionForm(forms.Form):
    """What the forms below share: the registry's words, each beside its field."""

    def refuse(self, errors: dict[str, list[str]]) -> None:
        """What belongs to no field stands on top."""
        for name, sentences in errors.items():
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)


def _address() -> forms.CharField:
    return text(
        _("Address of the Sugar instance"), placeholder="acme.sugarondemand.com", inputmode="url",
        help_text=_("Paste anything: the address bar of a browser signed in to Sugar will do."),
    )  # fmt: skip


def _platform() -> forms.CharField:
    return text(
        _("Platform"), placeholder="sugaradmin_acme",
        help_text=_("Our own, registered in Sugar under Admin > Configure API Platforms. Case matters there."),
    )  # fmt: skip


def _username() -> forms.CharField:
    return text(_("User name"), help_text=_("Best a user of its own that nobody else signs in with."))


def _client_id() -> forms.CharField:
    return text(_("OAuth client id"), help_text=_("“sugar” is built into every Sugar."))


def _certificate() -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"})
    help_text = _("PEM; only where the instance has an own certificate authority.")
    return forms.CharField(label=_("Own CA certificate"), required=False, widget=area, help_text=help_text)


def _shared_platform() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("Allow one of Sugar's own platforms"), required=False,
        help_text=_("Then every person who signs in there as this user ends our session, and we theirs."),
    )  # fmt: skip


class AddressForm(ConnectionForm):
    """The first step of the wizard: whose instance, and where."""

    tenant = text(
        _("Tenant"), placeholder="acme",
        help_text=_("Short name of the customer. One that is not known yet is created."), list="tenants",
    )  # fmt: skip
    label = forms.CharField(label=_("Label"), required=False, help_text=_("What you call it on the phone."))
    instance_url = _address()
    ca_pem = _certificate()

    def entry(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("label", "instance_url", "ca_pem")}


class PlatformForm(ConnectionForm):
    """The second: which platform is ours there."""

    platform = _platform()
    allow_shared_platform = _shared_platform()

    def entry(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class CredentialsForm(ConnectionForm):
    """The third: who signs in. What is shown again is never a secret."""

    username = _username()
    password = secret(_("Password"))
    store_password = forms.BooleanField(
        label=_("Store the password, encrypted, once Sugar has taken it"), required=False, initial=True,
        help_text=_(
            "Then the connection can repair itself. Without it, if the chain breaks only a person who knows the "
            "password can repair it."
        ),
    )  # fmt: skip
    client_id = _client_id()
    client_secret = secret(_("OAuth client secret"), help_text=_("Empty for the client “sugar”."))

    more = ("client_id", "client_secret")

    def more_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.more]

    def has_trouble_below(self) -> bool:
        """Opens the part that is folded away when something in it is wrong."""
        return any(name in self.errors for name in self.more)

    def entry(self) -> Credentials:
        return Credentials(**self.cleaned_data)


class OwnedForm(ConnectionForm):
    """Has an owner among its fields, of those who may see the connection."""

    owner = forms.CharField(
        label=_("Owner"), required=False, widget=forms.Select,
        help_text=_("Who of the staff looks after it, and is written to when the customer asks for a new link."),
    )  # fmt: skip

    def offer(self, row: Connection, names: Iterable[str]) -> Self:
        """Whoever owns it already is offered too, so that saving something else takes nothing away."""
        own = [row.owner.get_username()] if row.owner else []
        widget = cast(forms.Select, self.fields["owner"].widget)
        widget.choices = [("", _("nobody")), *((name, name) for name in sorted({*names, *own}))]
        return self


class LabelsForm(OwnedForm):
    """What colleagues look for it by; the last step asks, and nothing depends on it."""

    tags = Tags(label=_("Tags"), required=False, help_text=_("Words with spaces between them."))
    contact_name = forms.CharField(label=_("Contact at the customer"), required=False)
    contact_email = forms.CharField(
        label=_("Their e-mail"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    external_id = text(_("External id"), help_text=_("Your own number for it; unique within the tenant."))
    field_order = ("tags", "owner", "contact_name", "contact_email", "external_id")

    def entry(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class DescriptionForm(OwnedForm):
    """What may change without touching the chain."""

    label = forms.CharField(label=_("Label"), required=False)
    tags = Tags(label=_("Tags"), required=False, help_text=_("Words with spaces between them."))
    contact_name = forms.CharField(label=_("Contact at the customer"), required=False)
    contact_email = forms.CharField(
        label=_("Their e-mail"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    external_id = text(_("External id"))
    server_seconds = forms.IntegerField(
        label=_("Server seconds"), required=False, min_value=0, max_value=3600,
        help_text=_("How long this server may still work on a request that we gave up on. Empty: the usual time."),
    )  # fmt: skip
    field_order = ("label", "tags", "owner", "contact_name", "contact_email", "external_id", "server_seconds")

    def entry(self, row: Connection) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value is not None}


class IdentityForm(ConnectionForm):
    """Which instance, platform and user: a change starts a new chain, so it is confirmed."""

    instance_url = _address()
    platform = _platform()
    username = _username()
    client_id = _client_id()
    ca_pem = _certificate()
    allow_shared_platform = _shared_platform()
    password = secret(_("Password for the new chain"), help_text=_("Needed if you change one of the fields above."))
    confirm = forms.BooleanField(label=_("I know that this ends the running chain."), required=False)

    def entry(self, row: Connection) -> dict[str, Any]:
        names = ("instance_url", "platform", "username", "client_id", "ca_pem", "allow_shared_platform")
        given = {name: self.cleaned_data[name] for name in names if self.cleaned_data[name] != getattr(row, name)}
        if self.cleaned_data["password"]:
            given["password"] = self.cleaned_data["password"]
        return given

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        changes = {"instance_url", "platform", "username", "client_id", "ca_pem"} & set(self.changed_data)
        if changes and not cleaned.get("confirm"):
            self.add_error("confirm", _("Tick this first: the connection needs a new sign-in after the change."))
        return cleaned


class SecretsForm(ConnectionForm):
    """Empty means: leave as it is."""

    password = secret(_("Password"), help_text=_("Empty: leave it as it is."))
    store_password = forms.BooleanField(
        label=_("Store the password, encrypted"), required=False,
        help_text=_("Unticked: the stored one is wiped, and only a person can repair the connection."),
    )  # fmt: skip
    client_secret = secret(_("OAuth client secret"), help_text=_("Empty: leave it as it is."))
    forget_client_secret = forms.BooleanField(label=_("Forget the stored client secret"), required=False)

    def entry(self, row: Connection) -> dict[str, Any]:
        given: dict[str, Any] = {"store_password": self.cleaned_data["store_password"]}
        for name in ("password", "client_secret"):
            if self.cleaned_data[name]:
                given[name] = self.cleaned_data[name]
        if self.cleaned_data["forget_client_secret"] and "client_secret" not in given:
            given["client_secret"] = ""
        return given


class DeleteForm(ConnectionForm):
    """Type the name: it cannot be undone."""

    name = text(_("Type the label of the connection to confirm"))


class SignInAgainForm(ConnectionForm):
    password = secret(_("Password"))
    keep = forms.BooleanField(
        label=_("Store this password"), required=False,
        help_text=_("Then the connection can repair itself. Needs an admin."),
    )  # fmt: skip
