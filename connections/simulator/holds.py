"""Stop a grant at a named step until somebody lets it go on: how two refreshes are made to overlap over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


def _nobody() -> None:
    """Nobody waits yet."""


@dataclass(slots=True)
class Ticket:
    """One grant that stands still. The driver that waits sets `wake`."""

    step: str
    released: bool = False
    wake: Callable[[], None] = field(default=_nobody, repr=False)

    def release(self) -> None:
        self.released = True
        self.wake()


class Holds:
    """Which steps stop how many grants, and which grants stand still now."""

    def __init__(self) -> None:
        self._wanted: dict[str, int] = {}
        self.standing: list[Ticket] = []

    def hold(self, step: str, count: int = 1) -> None:
        """The next `count` requests that reach this step stop before it."""
        self._wanted[step] = self._wanted.get(step, 0) + count

    def take(self, step: str) -> Ticket | None:
        wanted = self._wanted.get(step, 0)
        if not wanted:
            return None
        self._wanted[step] = wanted - 1
        ticket = Ticket(step)
        self.standing.append(ticket)
        return ticket

    def release(self, step: str = "", count: int | None = None) -> int:
        """Let requests go on, oldest first: all of them, or `count` of those that stand at `step`.

        Releasing everything also forgets holds that nobody has reached.
        """
        if not step and count is None:
            self._wanted.clear()
        chosen = [ticket for ticket in self.standing if step in ("", ticket.step)][:count]
        for ticket in chosen:
            self.standing.remove(ticket)
            ticket.release()
        return len(chosen)
