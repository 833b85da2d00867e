"""Speaks to a Sugar server: addresses, grants and probes, and what the answers mean."""

from __future__ import annotations

from connections.sugar.address import (
    REST_PATH,
    AddressError,
    host_port,
    normalise,
    other_rest_path,
    rest_path_in,
)
from connections.sugar.answers import Answer, UserInfo, classify, fault_told
from connections.sugar.client import SugarClient, Target
from connections.sugar.generations import generation_of
from connections.sugar.tokens import TokenSet

__all__ = [
    "REST_PATH",
    "AddressError",
    "Answer",
    "SugarClient",
    "Target",
    "TokenSet",
    "UserInfo",
    "classify",
    "fault_told",
    "generation_of",
    "host_port",
    "normalise",
    "other_rest_path",
    "rest_path_in",
]
