"""What is wrong with a connection, how we know, who must act and how."""

from __future__ import annotations

from connections.diagnosis.catalogue import ANY_CONNECTION, CATALOGUE, Entry, entry_for, fill
from connections.diagnosis.facts import AttemptFact, Diagnosis, Evidence, Facts, ReportFact, VersionFact
from connections.diagnosis.rules import code_of, diagnose, is_chain_dead, trouble_of
from connections.diagnosis.status import State, dies_at, http_status_for, needs_person, status_of

__all__ = [
    "ANY_CONNECTION",
    "CATALOGUE",
    "AttemptFact",
    "Diagnosis",
    "Entry",
    "Evidence",
    "Facts",
    "ReportFact",
    "State",
    "VersionFact",
    "code_of",
    "diagnose",
    "dies_at",
    "entry_for",
    "fill",
    "http_status_for",
    "is_chain_dead",
    "needs_person",
    "status_of",
    "trouble_of",
]
