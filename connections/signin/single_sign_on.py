"""Single sign-on by OpenID Connect, where the operator has set it up.

Who comes with a subject that is bound to somebody here is that person. One that is not yet bound is bound once, to the
person of the name in the claim that the operator chose; nobody is created, and nobody is bound twice.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from requests import Session

from connections.custody import audit
from connections.models import database_now
from connections.signin import freshness, outbound, trail

PROVIDER = "oidc"
ASK_AGAIN = {"prompt": "login", "max_age": "0"}
"""Go and prove it now, and say when it was proved."""


class Exchange(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """The code for a token, the token for who it is. The signature counts even though it came by TLS."""

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **rest: Any) -> SocialLogin:
        if not rest["response"].get("id_token"):
            raise OAuth2Error("There is no identity token in the answer.")
        try:
            login = super().complete_login(request, app, token, **rest)
            told = login.account.extra_data
            identity, profile = told["id_token"], told["userinfo"]
            subject, issuer = identity["sub"], identity["iss"]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise OAuth2Error("The answer of the identity provider makes no sense.") from None
        if profile.get("sub") != subject:
            raise OAuth2Error("Identity token and profile are of two people.")
        login.claims = profile | identity
        # Bound to its issuer: another provider may call somebody else by the same subject.
        login.account.uid = hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()
        login.account.extra_data = {"issuer": issuer}
        return login

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        self.did_fetch_access_token = False  # that is what it goes by
        claims: dict[str, Any] = super()._decode_id_token(app, id_token)
        return claims


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def get_requests_session(self) -> Session:
        return outbound.session()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def list_apps(self, request: HttpRequest, provider: str = "", client_id: str = "") -> list[SocialApp]:
        """The one of the settings; nothing in the database makes another."""
        config = settings.SUGARADMIN.single_sign_on
        if config is None or provider not in ("", None, PROVIDER, "openid_connect"):
            return []
        return [
            SocialApp(
                provider="openid_connect", provider_id=PROVIDER, name=config.name,
                client_id=config.client_id, secret=config.client_secret,
                settings={"server_url": config.issuer, "oauth_pkce_enabled": True},
            )
        ]  # fmt: skip

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        freshness.note_single_sign_on(request, _proved_at(sociallogin))
        if sociallogin.is_existing:
            return
        name = _name_in(sociallogin.claims)
        with transaction.atomic():
            user = User.objects.select_for_update().filter(username=name, is_active=True).first() if name else None
            if user is None or SocialAccount.objects.filter(user=user, provider=PROVIDER).exists():
                user = None
            else:
                sociallogin.connect(request, user)
                actor = trail.actor_of(request, user.get_username())
                audit.record(actor, "bind_single_sign_on", at=database_now(), target=user.get_username())
        if user is None:
            trail.note_failure(request, name, way="single sign-on")
            raise ImmediateHttpResponse(refused(request, is_unknown=True))

    def on_authentication_error(self, request: HttpRequest, provider: Any, **rest: Any) -> None:
        trail.note_failure(request, "", way="single sign-on")
        raise ImmediateHttpResponse(refused(request))


def refused(request: HttpRequest, *, is_unknown: bool = False) -> HttpResponse:
    return render(request, "connections/signin/sso_refused.html", {"is_unknown": is_unknown}, status=403)


def _name_in(claims: dict[str, Any]) -> str:
    """Empty where the provider does not say it, or does not vouch for it."""
    config = settings.SUGARADMIN.single_sign_on
    claim = config.claim if config else ""
    value = claims.get(claim)
    if claim == "email" and claims.get("email_verified") is not True:
        return ""
    return value if isinstance(value, str) else ""


def _proved_at(sociallogin: SocialLogin) -> float:
    """When the person last proved to the provider who he is: an old session there is no fresh proof here. A provider
    that was asked for a proof and does not say when it was given is believed."""
    said = sociallogin.claims.get("auth_time")
    if isinstance(said, int | float):
        return min(float(said), time.time())
    return time.time() if sociallogin.state.get("data") == ASK_AGAIN else 0.0
