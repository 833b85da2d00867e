"""The only writer of tokens and of chain state. Nothing outside this package may."""

from __future__ import annotations
