"""No code without its scenario, and none without its line in the document."""

from __future__ import annotations

from pathlib import Path

from connections.choices import DiagnosisCode
from tests.scenarios import test_chain, test_credentials, test_instance, test_network, test_setup

MODULES = (test_chain, test_credentials, test_instance, test_network, test_setup)
DOCUMENT = Path(__file__).parents[2] / "docs" / "diagnosis.md"
NOT_BY_A_SERVER = {
    DiagnosisCode.ACCESS_DENIED,  # Sugar's 403 on data: told apart, and no diagnosis
    DiagnosisCode.DATABASE_RESTORED,  # a copied database
    DiagnosisCode.UNKNOWN,  # what nobody has seen yet
}


def test_every_code_that_can_be_provoked_is_played() -> None:
    labels = [str(case) for module in MODULES for case in module.CASES]
    assert len(labels) == len(set(labels)) >= 40
    played = {case.code for module in MODULES for case in module.CASES}
    written = {code for code in DiagnosisCode for module in MODULES if f'"{code}"' in Path(module.__file__).read_text()}
    assert set(DiagnosisCode) - played - written - NOT_BY_A_SERVER == set()


def test_every_code_has_its_line_in_the_document() -> None:
    text = DOCUMENT.read_text()
    assert [code for code in DiagnosisCode if f"`{code}`" not in text] == []
