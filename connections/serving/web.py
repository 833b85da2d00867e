"""The web part: gunicorn with threads, on a socket that the parent holds."""

from __future__ import annotations

import gc
import os
import signal
from importlib import import_module
from typing import Any

from django.conf import settings
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from connections.serving.patience import PatientWorker, is_stalled
from sugaradmin.wsgi import application

GRACEFUL_SECONDS = 35
"""Longer than the longest request: a worker's call may wait 30 s for a grant."""
SILENT_SECONDS = 60
KEEP_ALIVE_SECONDS = 15
CONNECTIONS = 2000
TOLD_BY = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
"""How a process is told to end."""


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's words through our own handlers, so that they are JSON lines and redacted like all others."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.handlers.clear()
        self.access_log.disabled = True

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """A client that fell silent is no error of ours."""
        (self.debug if is_stalled() else super().exception)(msg, *args, **kwargs)


class ListeningWorker(PatientWorker):
    """Is never told to end in vain. Between its fork and its own handlers a process has gunicorn's of the parent, which
    swallow a signal; gunicorn tells each once, and would wait for it until all patience is over."""

    def init_signals(self) -> None:
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TOLD_BY)


def keep_signals_until_heard() -> None:
    """What is sent to a process that was just forked waits until it says how it hears."""
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, TOLD_BY),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, TOLD_BY),
    )


class Web(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, listener: int) -> None:
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        config = settings.SUGARADMIN
        for name, value in {
            "bind": f"fd://{self._listener}",
            "worker_class": ListeningWorker,
            "workers": config.web_processes,
            "threads": config.web_threads,
            "worker_connections": CONNECTIONS,
            "preload_app": True,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": SILENT_SECONDS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "accesslog": None,
            "logger_class": QuietLogger,
            "forwarded_allow_ips": "",  # sugaradmin.proxies decides whom to believe
            "control_socket_disable": True,
            "proc_name": "sugaradmin-web",
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # Loaded before the fork: what the processes share (the rate of API keys) is made by these modules.
        import_module(settings.ROOT_URLCONF)
        # What is loaded now stays: nobody need look through it for garbage again, nor copy it in each process.
        gc.collect()
        gc.freeze()
        return application


def run(listener: int) -> None:
    """Serve until SIGTERM; then finish what has begun."""
    keep_signals_until_heard()
    Web(listener).run()
