"""The staff pages. Views translate HTTP; `custody` and `onboarding` decide."""

from __future__ import annotations
