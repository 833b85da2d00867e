"""The shape of one catalogue entry, and how the blanks in its texts are filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from connections.choices import DiagnosisCode, FixBy, Trouble

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise, StrPromise


SIGN_IN_WHEN_WELL = _(
    "As soon as that is over, press “Sign in again”, or “Test again” where the connection is being set up: one that "
    "has never signed in does not try by itself."
)
SIGN_IN_THEN = _(
    "Then press “Sign in again”, or “Test again” where the connection is being set up: one that has never signed in "
    "does not try by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Everything a person may want to know about one diagnosis code.

    Texts are lazy and may hold the blanks of `BLANKS`; `fill` puts a connection's own words in. `fix_by`, `fix`
    and `trouble` are defaults: the rules overrule them by what they see.
    """

    code: DiagnosisCode
    title: StrPromise
    cause: StrPromise  # one sentence
    what_it_is: StrPromise
    how_we_know: StrPromise
    needs: StrPromise  # the evidence without which the rules do not say it
    fix_by: FixBy
    fix: tuple[StrPromise, ...]
    tell_the_customer: StrPromise  # ready to copy into a mail
    retry_helps: bool
    trouble: Trouble
    waiting: tuple[StrPromise, ...] = ()  # the steps while time alone may heal it
    draft: tuple[StrPromise, ...] = ()  # the steps of one that has never signed in, where `fix` does not fit it

    @property
    def first_steps(self) -> tuple[StrPromise, ...]:
        """The steps of a connection that has never signed in: Sugaradmin does not go on with it by itself."""
        if self.draft or self.trouble not in (Trouble.UNREACHABLE, Trouble.RETRYING):
            return self.draft or self.fix
        return (*self.fix, SIGN_IN_WHEN_WELL if self.fix_by == FixBy.NOBODY else SIGN_IN_THEN)


BLANKS = ("host", "platform", "username", "client_id")

# What a help page shows where no connection is at hand.
ANY_CONNECTION: Mapping[str, StrOrPromise] = {
    "host": _("‹host of the instance›"),
    "platform": _("‹platform name›"),
    "username": _("‹user name›"),
    "client_id": _("‹client id›"),
}


def fill(text: StrOrPromise, words: Mapping[str, StrOrPromise] = ANY_CONNECTION) -> str:
    """Return `text` in the active language with its blanks filled; braces inside a word stay as they are."""
    return str(text).format_map(words)
