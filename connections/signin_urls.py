"""Addresses of signing in, under the names by which django-allauth asks for them. None of its own are included: a page
that we did not style does not exist."""

from __future__ import annotations

from django.urls import path
from django.urls.resolvers import URLPattern

from connections.dashboard.views import account, second_factors, signing_in, single_sign_on

urlpatterns: list[URLPattern] = [
    path("sign-in/", signing_in.SignIn.as_view(), name="account_login"),
    path("sign-in/code/", signing_in.Code.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey/", signing_in.SignInWithPasskey.as_view(), name="mfa_login_webauthn"),
    path("sign-in/sso/", single_sign_on.go, name="single_sign_on"),
    path("sign-in/sso/<slug:provider_id>/callback/", single_sign_on.come_back, name="openid_connect_callback"),
    path("sign-in/again/", signing_in.Confirm.as_view(), name="account_reauthenticate"),
    path("sign-in/again/code/", signing_in.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("sign-in/again/passkey/", signing_in.ConfirmByPasskey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("profile/password/", account.ChangePassword.as_view(), name="account_change_password"),
    path("profile/security/", second_factors.Security.as_view(), name="mfa_index"),
    path("profile/security/app/add/", second_factors.AddTotp.as_view(), name="mfa_activate_totp"),
    path("profile/security/app/remove/", second_factors.RemoveTotp.as_view(), name="mfa_deactivate_totp"),
    path("profile/security/passkeys/add/", second_factors.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("profile/security/passkeys/<int:pk>/", second_factors.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    path(
        "profile/security/passkeys/<int:pk>/remove/",
        second_factors.RemovePasskey.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("profile/security/recovery-codes/", second_factors.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path(
        "profile/security/recovery-codes/renew/",
        second_factors.RenewRecoveryCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
]
