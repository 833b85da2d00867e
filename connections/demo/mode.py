"""What every page of a demo knows: that it is one."""

from __future__ import annotations

from django.http import HttpRequest


def demo_mode(request: HttpRequest) -> dict[str, bool]:
    """For the banner and the way to the scenes; without a demo no template hears of it."""
    return {"is_demo": True}
