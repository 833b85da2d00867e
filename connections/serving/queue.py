"""The queue part: django-q2's cluster. Stopped by SIGTERM to its own pid alone, which makes it drain."""

from __future__ import annotations

import multiprocessing

from django_q.cluster import Cluster


def run() -> None:
    """Work until SIGTERM. A cluster whose sentinel died has nobody to guard it: that ends the part, to be restarted."""
    Cluster().start()
    for child in multiprocessing.active_children():
        child.join()
