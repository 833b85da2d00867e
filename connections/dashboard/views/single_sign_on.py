"""Out to the identity provider, and back."""

from __future__ import annotations

from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from requests import RequestException

from connections.signin import trail
from connections.signin.single_sign_on import ASK_AGAIN, PROVIDER, Exchange, refused


@login_not_required
@never_cache
@require_safe
def go(request: HttpRequest) -> HttpResponse:
    """By GET: a form that is answered by a redirect to another site is stopped by our own content policy. Who is signed
    in already is here to prove who he is."""
    if settings.SUGARADMIN.single_sign_on is None:
        raise Http404
    provider = get_adapter().get_provider(request, PROVIDER)
    asked = ASK_AGAIN if request.user.is_authenticated else {}
    try:
        answer: HttpResponse = provider.redirect(
            request, AuthProcess.LOGIN,
            next_url=get_next_redirect_url(request), data=asked or None, auth_params=dict(asked),
        )  # fmt: skip
    except (RequestException, KeyError):
        trail.note_failure(request, "", way="single sign-on")
        return refused(request)
    return answer


@login_not_required
@never_cache
@require_safe
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    if settings.SUGARADMIN.single_sign_on is None or provider_id != PROVIDER:
        raise Http404
    view = OAuth2CallbackView.adapter_view(Exchange(request, PROVIDER))
    try:
        answer: HttpResponse = view(request)
    except KeyError:  # the provider's own description lacks an address
        trail.note_failure(request, "", way="single sign-on")
        return refused(request)
    return answer
