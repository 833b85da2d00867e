"""Threads that no client can hold for ever, and a listener that none can hold at all.

gunicorn ends a connection in its main loop and gives the client up to two seconds to close it too; while it waits,
nobody is let in. And it reads and writes without any limit: a client who vanished in mid-request keeps a thread.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

STALLED_SECONDS = 20
"""Between two pieces of a request, or of an answer that the client does not take."""
FAREWELL_SECONDS = 2.0
MOST_THROWN_AWAY = 65_536


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Takes in no more visitors than it has threads: the others wait at the door that all processes share, for
    whichever is free first, instead of in the queue of one that happened to be quick at opening."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._busy = 0

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled and self._busy < self.cfg.threads)

    def enqueue_req(self, conn: TConn) -> None:
        self._busy += 1
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        self._busy -= 1
        super().finish_request(conn, fs)

    def accept(self, listener: socket.socket) -> None:
        super().accept(listener)
        self.set_accept_enabled(True)

    def handle(self, conn: TConn) -> Any:
        limit(conn.sock)
        goes_on = super().handle(conn)
        if goes_on is False:
            _part(conn.sock)
        return goes_on


def is_stalled() -> bool:
    """The error that is being handled: a client who sent nothing more, or took nothing more."""
    return isinstance(sys.exception(), BlockingIOError)


def limit(sock: socket.socket) -> None:
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", STALLED_SECONDS, 0))


def _part(sock: socket.socket) -> None:
    """Says that this was all, and waits a moment for the client to close, so that the answer is not lost to a reset.
    Afterwards there is nothing left to wait for in the main loop."""
    until, thrown_away = time.monotonic() + FAREWELL_SECONDS, 0
    try:
        sock.shutdown(socket.SHUT_WR)
        while (left := until - time.monotonic()) > 0 and thrown_away < MOST_THROWN_AWAY:
            sock.settimeout(left)
            piece = sock.recv(4096)
            if not piece:
                return
            thrown_away += len(piece)
    except OSError:
        pass
    finally:
        _hear_no_more(sock)


def _hear_no_more(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RD)
    except OSError:  # closed already
        pass
