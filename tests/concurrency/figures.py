"""What a campaign found, for whoever runs it with -s."""

from __future__ import annotations

import sys


def show(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
