"""Small pieces of the pages: shapes, badges, times, fields. All text in them is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings
from django.db.models import Field, Model
from django.forms import BoundField, CheckboxInput, PasswordInput
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.choices import BUILT_IN_PLATFORMS, Confidence, Status
from connections.dashboard import attempt_words, auditing, deed_words, doings, history, moments, shell, wording
from connections.models import Attempt
from connections.signin import limits
from sugaradmin import __version__

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

register = template.Library()


@register.simple_tag
@cache
def shape(name: str) -> SafeString:
    """One shape of the sprite; decoration beside a word, so hidden from screen readers."""
    source = static("img/shapes.svg")
    return format_html('<svg class="shape" aria-hidden="true"><use href="{}#{}"></use></svg>', source, name)


PLACES = {
    "overview": gettext_lazy("Overview"),
    "connections": gettext_lazy("Connections"),
    "errors": gettext_lazy("Errors"),
    "api_keys": gettext_lazy("API keys"),
    "audit": gettext_lazy("Audit"),
    "system": gettext_lazy("System"),
    "demo": gettext_lazy("Demo"),
    "settings": gettext_lazy("Settings"),
    "help": gettext_lazy("Help"),
    "profile": gettext_lazy("Profile"),
}


@register.simple_tag(takes_context=True)
def here(context: template.Context) -> str:
    """Where one is, while the menu is folded; a page outside of it is called nothing."""
    around: shell.Shell | None = context.get("shell")
    section = around.section if around else context.get("section")
    return str(PLACES.get(str(section), ""))


@register.simple_tag
def badge(status: str) -> SafeString:
    """A status is a word, a shape and a colour."""
    return format_html(
        '<span class="badge" data-status="{}">{}<span>{}</span></span>', status, shape(status), Status(status).label
    )


@register.simple_tag
def moment(at: datetime | None, now: datetime) -> SafeString:
    """`13:16:04 · 12 min ago`, the date where it is not today's; exact in the tooltip."""
    if at is None:
        return format_html('<span class="soft">{}</span>', "–")
    here = timezone.localtime(at)
    shown = f"{here:%H:%M:%S}" if here.date() == timezone.localdate(now) else f"{here:%d %b %Y %H:%M}"
    return format_html(
        '<time datetime="{}" title="{}">{} <span class="soft">· {}</span></time>',
        _iso(at), _exact(at), shown, wording.relative(at, now),
    )  # fmt: skip


@register.simple_tag
def ago(at: datetime | None, now: datetime) -> SafeString:
    """`12 min ago`, exact in the tooltip."""
    if at is None:
        return format_html('<span class="soft">{}</span>', "–")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        _iso(at), _exact(at), wording.relative(at, now),
    )  # fmt: skip


@register.simple_tag
def countdown(at: datetime, now: datetime) -> SafeString:
    """Time left; a script lets it run, without one it is what it was when the page was made."""
    return format_html(
        '<time class="countdown" datetime="{0}" data-deadline="{0}" title="{1}">{2}</time>',
        _iso(at), _exact(at), wording.duration(at - now),
    )  # fmt: skip


@register.simple_tag
def local_times(text: str, written_at: datetime, now: datetime) -> SafeString:
    """A stored sentence with its moments in the zone of the person; the record itself stays in UTC."""
    found = moments.parts(str(text), written_at)
    return format_html_join("", "{}", ((part if isinstance(part, str) else _written(part, now),) for part in found))


def _written(moment: moments.Written, now: datetime) -> SafeString:
    here = timezone.localtime(moment.at)
    clock = f"{here:%H:%M:%S}" if moment.has_seconds else f"{here:%H:%M}"
    shown = clock if here.date() == timezone.localdate(now) else f"{here:%d %b %Y} {clock}"
    return format_html('<time datetime="{}" title="{}">{}</time>', _iso(moment.at), _exact(moment.at), shown)


@register.simple_tag
def clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M:%S}"


def _exact(at: datetime) -> str:
    """In the person's zone and in UTC, where they differ."""
    here = timezone.localtime(at)
    shown = f"{here:%Y-%m-%d %H:%M:%S %Z}"
    return shown if here.tzname() == "UTC" else f"{shown} · {at.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@register.simple_tag
def sparks(counts: Sequence[int]) -> SafeString:
    """Small columns, one for each hour; their figures as words for who does not see them."""
    top = max(counts, default=0)
    told = _("%(count)d in 24 hours, at most %(top)d in one") % {"count": sum(counts), "top": top}
    if not top:
        return format_html('<span class="small soft">{}</span>', _("none"))
    heights = ((number * 10 + 1, 24 * count / top) for number, count in enumerate(counts) if count)
    columns = "".join(f"M{x} 24v-{tall:.1f}h8v{tall:.1f}z" for x, tall in heights)
    return format_html(
        '<svg class="sparks" role="img" viewBox="0 0 {} 24" preserveAspectRatio="none"><title>{}</title>'
        '<path d="{}"></path></svg>',
        len(counts) * 10, told, columns,
    )  # fmt: skip


@register.filter
def word(row: Model, name: str) -> str:
    """What `get_…_display` says, which gathers the words of all choices anew for each row."""
    value = getattr(row, name)
    return str(_words(type(row), name).get(value, value))


@cache
def _words(model: type[Model], name: str) -> dict[object, StrPromise]:
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return dict(field.flatchoices)


@register.filter
def iso(at: datetime) -> str:
    return _iso(at)


@register.filter
def span(length: timedelta) -> str:
    return wording.duration(length)


@register.filter
def title_of(code: str) -> str:
    return wording.title_of(code)


@register.filter
def fault_words(fault: str) -> str:
    return attempt_words.fault_words(fault)


@register.filter
def said(message: str) -> str:
    """Sugar's own words as a quotation; where nothing came, ours for it."""
    return attempt_words.fault_words(message) if message in attempt_words.FAULTS else f"“{message}”"


@register.filter
def check_words(detail: str) -> str:
    return attempt_words.check_words(detail)


@register.filter
def rung_words(rung: str) -> str:
    return attempt_words.rung_words(rung)


@register.simple_tag
def rung_result(result: str) -> SafeString:
    """What came of a rung: a word, a shape and a colour; of a ping only the word that it brought."""
    kind, sign, word = attempt_words.RESULTS.get(result, ("ok", "healthy", result.capitalize()))
    return format_html('<span class="verdict" data-kind="{}">{}{}</span>', kind, shape(sign), word)


@register.filter
def milliseconds(attempt: Attempt) -> int | None:
    return attempt_words.milliseconds(attempt)


@register.filter
def stages(attempt: Attempt) -> list[tuple[str, int]]:
    return list(attempt_words.stages(attempt))


@register.filter
def passed(checks: Sequence[dict[str, Any]]) -> str:
    told = {"passed": sum(bool(check.get("ok")) for check in checks), "all": len(checks)}
    return _("%(passed)d of %(all)d checks passed") % told


@register.simple_tag
def verdict(attempt: Attempt) -> SafeString:
    """What came of an attempt: a word, a shape and a colour."""
    kind, sign, word = attempt_words.came_to(attempt)
    return format_html('<span class="verdict" data-kind="{}">{}{}</span>', kind, shape(sign), word)


@register.filter
def coded(text: str) -> SafeString:
    """What stands between backticks, as the contract for programs marks it, becomes code."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # one that is not closed is a sign like any other
        return format_html("{}", text)
    marked = (("<code>{}</code>" if place % 2 else "{}", part) for place, part in enumerate(parts))
    return format_html_join("", "{}", ((format_html(form, part),) for form, part in marked))


@register.filter
def changes(difference: Any) -> list[tuple[str, str]]:
    """The difference of an audit row in pairs of words."""
    return auditing.told(difference)


@register.filter
def action_words(action: str) -> str:
    return deed_words.words_of(action)


@register.filter
def confidence_word(confidence: str) -> str:
    """How sure a diagnosis is: stored as programs read it."""
    return str(Confidence(confidence).label) if confidence in Confidence.values else confidence


@register.filter
def within(remedies: Sequence[str], board: doings.Board) -> bool:
    """Whether one of them can be pressed now."""
    return any(name in wording.ELSEWHERE or name in board.enabled for name in remedies)


@register.filter
def tone(kind: str) -> str:
    return history.TONES.get(kind, "plain")


@register.filter
def is_shared(platform: str) -> bool:
    """One of Sugar's own platforms: people who sign in there end our session."""
    return platform.lower() in BUILT_IN_PLATFORMS


@register.simple_tag
def copyable(text: str) -> SafeString:
    """A text with a button that copies it; the button appears where a script can do so."""
    label = _("Copy %(text)s") % {"text": text}
    return format_html(
        '<span class="copyable"><code>{0}</code><button type="button" class="copy" data-copy="{0}" '
        'aria-label="{1}">{2}</button></span>',
        text, label, shape("copy"),
    )  # fmt: skip


@register.inclusion_tag("connections/_field.html")
def field(bound: BoundField, *, suffix: str = "") -> dict[str, Any]:
    """Label, input, help and errors, tied together for screen readers. `suffix` keeps ids of several forms apart."""
    identity = f"{bound.id_for_label}{suffix}"
    described = [f"{identity}_help"] if bound.help_text else []
    described += [f"{identity}_error"] if bound.errors else []
    attributes: dict[str, Any] = {"id": identity, "aria-describedby": " ".join(described) or False}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    widget = bound.as_widget(attrs={name: value for name, value in attributes.items() if value})
    kind = bound.field.widget
    is_box, is_secret = isinstance(kind, CheckboxInput), isinstance(kind, PasswordInput)
    return {"bound": bound, "identity": identity, "widget": widget, "is_box": is_box, "is_secret": is_secret}


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """The chosen colours, for `<html data-theme>`; also on pages that Django renders by itself."""
    request = context.get("request")
    return shell.theme_of(request) if isinstance(request, HttpRequest) else "auto"


@register.simple_tag(takes_context=True)
def request_id(context: dict[str, Any]) -> str:
    request = context.get("request")
    return request.META.get("SUGARADMIN_REQUEST_ID", "") if isinstance(request, HttpRequest) else ""


@register.simple_tag
def version() -> str:
    return __version__


@register.filter
def browser(user_agent: str) -> str:
    """`Firefox on Windows`: what its owner calls it, from what it calls itself."""
    return wording.browser_of(user_agent)


@register.simple_tag(takes_context=True)
def session_marks(context: template.Context) -> SafeString:
    """What the page must know of the session: how long is left without use and in all, whose it is, and which."""
    request: HttpRequest = context["request"]
    unused, old = limits.seconds_left(request.session)
    return format_html(
        'data-idle="{}" data-rest="{}" data-person="{}" data-began="{}"',
        unused, old, request.user.pk, round(1000 * request.session.get(limits.BEGAN, 0)),
    )  # fmt: skip


@register.simple_tag
def is_development() -> bool:
    return bool(settings.SUGARADMIN.development)
