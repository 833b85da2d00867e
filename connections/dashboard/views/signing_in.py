"""In, out, and in between: who is it? django-allauth decides; this says how it looks and where it is found."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from connections.dashboard.rights import asker_of
from connections.dashboard.shell import frame
from connections.dashboard.signing_in import ConfirmForm, SignInForm

form_page = method_decorator([sensitive_post_parameters(), require_http_methods(["GET", "HEAD", "POST"])], "dispatch")


class Framed:
    """Mixed in before a view of django-allauth that a signed-in person sees: the frame of every page around it."""

    request: HttpRequest
    section = "profile"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().get_context_data(**context)  # type: ignore[misc]  # of the view behind the mixin
        return {"shell": frame(asker_of(self.request), section=self.section), **shown}


def refused(view: Any, form: Any) -> HttpResponse:
    """The page again, with what is wrong on it; nothing was changed."""
    page: HttpResponse = view.render_to_response(view.get_context_data(form=form), status=422)
    return page


@form_page
class SignIn(account.LoginView):  # type: ignore[misc]  # allauth has no types
    template_name = "connections/signin/sign_in.html"
    form_class = SignInForm

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        return refused(self, form)


@method_decorator(require_http_methods(["POST"]), "dispatch")
class SignOut(account.LogoutView):  # type: ignore[misc]  # allauth has no types
    pass


@form_page
class Confirm(Framed, account.ReauthenticateView):  # type: ignore[misc]  # allauth has no types
    """The password once more, before something dangerous."""

    template_name = "connections/signin/confirm.html"
    form_class = ConfirmForm

    def form_valid(self, form: ConfirmForm) -> HttpResponse:
        messages.success(self.request, confirmed())
        return super().form_valid(form)  # type: ignore[no-any-return]

    def form_invalid(self, form: ConfirmForm) -> HttpResponse:
        return refused(self, form)


def confirmed() -> str:
    return _("It is you, for the next five minutes. Nothing was done yet: go on here.")
