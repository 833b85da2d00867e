"""The catalogue: one entry for each diagnosis code, in the order of the codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connections.choices import DiagnosisCode
from connections.diagnosis.catalogue.chain import CHAIN
from connections.diagnosis.catalogue.credentials import CREDENTIALS
from connections.diagnosis.catalogue.entry import ANY_CONNECTION, BLANKS, Entry, fill
from connections.diagnosis.catalogue.instance import INSTANCE
from connections.diagnosis.catalogue.network import NETWORK
from connections.diagnosis.catalogue.ours import OURS
from connections.diagnosis.catalogue.setup import SETUP

__all__ = ["ANY_CONNECTION", "BLANKS", "CATALOGUE", "Entry", "entry_for", "fill"]

CATALOGUE: Mapping[DiagnosisCode, Entry] = MappingProxyType(
    {entry.code: entry for entry in (*CHAIN, *CREDENTIALS, *SETUP, *INSTANCE, *NETWORK, *OURS)}
)


def entry_for(code: str) -> Entry:
    """Return the entry of a code; `ValueError` for a word that is none."""
    return CATALOGUE[DiagnosisCode(code)]
