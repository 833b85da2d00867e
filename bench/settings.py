"""The product's own settings, and one bare view beside it to measure against."""

from __future__ import annotations

from sugaradmin.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
