"""The customer's pages in German: by the browser's wish or the visitor's choice, and whole."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import template

from connections.choices import Fault, LinkKind
from connections.customer.wording import OWN
from connections.diagnosis import CATALOGUE, code_of
from connections.models import Connection
from tests.custody.conftest import Connect
from tests.customer.conftest import NO_PASSWORD, Customer, make_link, told
from tests.dashboard.conftest import Draft
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
ROOT = Path(settings.BASE_DIR)
CATALOGUE_FILE = ROOT / "locale/de/LC_MESSAGES/django.mo"
GERMAN = {"headers": {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}}


@pytest.fixture
def customer(draft: Draft) -> Customer:
    return Customer(make_link(draft().public_id), Client(enforce_csrf_checks=True, **GERMAN))


def words() -> gettext.GNUTranslations:
    with CATALOGUE_FILE.open("rb") as file:
        return gettext.GNUTranslations(file)


def said_by_the_code() -> Iterator[str]:
    """Every text of the public pages: of their code, their templates, and the causes that a sign-in may meet."""
    for path in sorted((ROOT / "connections/customer").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "gettext_lazy"):
                yield ast.literal_eval(call.args[0])
    for path in sorted((ROOT / "templates/customer").glob("*.html")):
        python = template.templatize(path.read_text(encoding="utf-8"), origin=str(path))
        for single in re.findall(r"\bgettext\(u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)", python):
            yield ast.literal_eval(single)
        for single in re.findall(r"_\(u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)", python):
            yield ast.literal_eval(single)
    for code in {code_of(fault) for fault in Fault} - {*OWN}:
        with translation.override("en"):
            yield from (str(CATALOGUE[code].title), str(CATALOGUE[code].tell_the_customer))


def test_every_sentence_is_translated_with_the_same_blanks() -> None:
    found, german = set(said_by_the_code()), words()
    assert len(found) > 120
    missing = [text for text in found if german.gettext(text) == text]
    assert missing == []
    for text in found:
        blanks = r"\{\w+\}|%\(\w+\)s"
        assert sorted(re.findall(blanks, text)) == sorted(re.findall(blanks, german.gettext(text))), text


def test_what_was_compiled_is_what_stands_in_the_source() -> None:
    """No machine that installs this has msgfmt: the compiled file is part of it, and must not lag behind."""
    source = CATALOGUE_FILE.with_suffix(".po").read_text(encoding="utf-8")
    said = {ast.literal_eval(text) for text in re.findall(r'^msgstr(?:\[\d\])? (".+")$', source, re.MULTILINE)} - {""}
    compiled = {text for key, text in words()._catalog.items() if key}  # type: ignore[attr-defined]
    assert compiled == said


def test_the_browsers_wish_is_followed(customer: Customer) -> None:
    page = customer.open()
    assert '<html lang="de">' in page.content.decode()
    assert page.headers["Content-Language"] == "de"
    assert "Eine Anmeldung mit dem Passwort dieses Benutzers verbindet sie wieder" in told(page)
    assert "5 Versuche sind noch übrig" in told(page)
    assert "Geben Sie zuerst das Passwort ein" in told(customer.type(""))


def test_one_try_is_singular() -> None:
    with translation.override("de"):
        left = translation.ngettext(
            "%(left)s try is left: more wrong passwords could lock the user in Sugar.",
            "%(left)s tries are left: more wrong passwords could lock the user in Sugar.",
            1,
        )
    assert left.startswith("%(left)s Versuch ist")


def test_the_visitor_chooses_another_and_it_stays(customer: Customer) -> None:
    assert 'href="?lang=en"' in customer.open().content.decode()
    english = customer.browser.get(f"{customer.page}?lang=en")
    assert '<html lang="en">' in english.content.decode()
    assert "Requested by" in told(customer.open())
    assert "Angefragt von" in told(customer.browser.get(f"{customer.page}?lang=de"))
    assert '<html lang="de">' in customer.browser.get(f"{customer.page}?lang=xx").content.decode()


def test_the_page_behind_a_button_leads_to_one_that_answers(customer: Customer) -> None:
    proof = customer.proof()
    customer.link.connection.links.update(expires_at=customer.link.made_at)
    asked = customer.browser.post(f"{customer.page}ask/", {"proof": proof})
    assert "Dieser Link ist abgelaufen" in told(asked)
    assert 'href="../?lang=en"' in asked.content.decode()


def test_the_guide_speaks_it_too_and_shows_no_token_for_it(draft: Draft) -> None:
    issued = make_link(draft().public_id, LinkKind.GUIDE)
    path = "/" + issued.url.split("/", 3)[3]
    page = Client(**GERMAN).get(path).content.decode()
    assert "in Sugar registrieren" in page
    assert path.split("/")[2] not in page


def test_what_is_kept_of_a_refusal_is_in_the_language_of_staff(connect: Connect) -> None:
    kept = connect("13.3", sign_in=False, fields=NO_PASSWORD)
    customer = Customer(make_link(kept.public_id), Client(enforce_csrf_checks=True, **GERMAN))
    assert "Sugar hat dieses Passwort nicht angenommen" in told(customer.type("wrong"))
    row = Connection.objects.get(public_id=kept.public_id)
    kept_words = str(row.diagnosis) + " ".join(row.events.values_list("summary", flat=True))
    assert not re.search(r"[äöüß]|Passwort", kept_words)


def test_staff_pages_stay_in_one_language(customer: Customer) -> None:
    assert '<html lang="en">' in Client(**GERMAN).get("/sign-in/").content.decode()
    admin = signed_in("admin")
    admin.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    assert admin.get("/overview/", **GERMAN).headers["Content-Language"] == "en"
