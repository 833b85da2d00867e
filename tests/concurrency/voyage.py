"""The way to Sugar and back, one step at a time: in the place of the guarded door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connections.choices import AttemptState
from connections.egress import ConnectionLost, DeadlineExceeded, Response, Timings
from connections.models import Attempt
from connections.simulator import Instance, Request, drive
from connections.simulator import Response as Answer
from connections.simulator.wire import Exchange
from tests.concurrency.virtual import VirtualClock


@dataclass(eq=False)
class Voyage:
    """One grant between its first byte and its last. The server finishes what it began, whoever still listens."""

    number: int
    traveller: str
    request: Request
    exchange: Exchange
    ends_at: float  # when the sender stops listening
    attempt: int | None  # number of the attempt whose intent was on disk when the first byte left
    triple: tuple[str, ...]
    answer: Answer | None = None
    is_lost: bool = False
    is_read: bool = False
    is_forgotten: bool = False  # its reader died, or left, before anything was on disk
    told_at: float | None = None  # when what it said was on disk
    steps: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Sugar is done with it."""
        return self.answer is not None

    def step(self) -> None:
        try:
            self.steps.append(str(next(self.exchange)))
        except StopIteration as end:
            self.answer = end.value

    def finish(self) -> None:
        while not self.is_over:
            self.step()


class Sea:
    """Everything that is under way to one instance; has the shape of `connections.egress.Egress`."""

    def __init__(
        self, instance: Instance, clock: VirtualClock, *, traveller: Callable[[], str], wait: Callable[[Voyage], None]
    ) -> None:
        self._instance = instance
        self._clock = clock
        self._traveller = traveller
        self._wait = wait
        self.voyages: list[Voyage] = []

    def check_address(self, url: str, *, deadline: float = 5.0) -> None:
        """Everything may be reached here."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        content: bytes = b"",
        deadline: float,
        cap: int,
        ca_pem: str = "",
        before_first_byte: Callable[[], float | None] | None = None,
        is_grant: bool = False,
    ) -> Response:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        request = Request.build(method, target, headers=dict(headers), body=content)
        seconds = before_first_byte() if before_first_byte is not None else deadline
        if not is_grant:
            return _delivered(drive(self._instance.handle(request)))
        voyage = self._depart(request, self._clock() + (seconds or deadline))
        self._wait(voyage)
        return self._arrive(voyage)

    def _depart(self, request: Request, ends_at: float) -> Voyage:
        """Nothing suspends us between the look at the budget and the first byte: the design assumes as much."""
        sent = Attempt.objects.filter(state=AttemptState.SENT).order_by("-sent_at").first()
        voyage = Voyage(
            number=len(self.voyages) + 1,
            traveller=self._traveller(),
            request=request,
            exchange=self._instance.handle(request),
            ends_at=ends_at,
            attempt=sent.number if sent else None,
            triple=_triple(request),
        )
        voyage.step()
        self.voyages.append(voyage)
        return voyage

    def _arrive(self, voyage: Voyage) -> Response:
        if self._clock() >= voyage.ends_at:
            voyage.is_forgotten = True
            raise DeadlineExceeded("The answer was not complete in time.")
        if voyage.is_lost:
            voyage.is_forgotten = True
            raise ConnectionLost("The server hung up without an answer.")
        assert voyage.answer is not None
        voyage.is_read = True
        return _delivered(voyage.answer)

    def settle_journal(self) -> None:
        """We were told when it was on disk: not before, and never if its reader died with it."""
        entries = {entry.number: entry for entry in self._instance.journal}
        for voyage in self.voyages:
            entry = entries[voyage.request.number]
            if voyage.is_forgotten:
                entry.abandon()
            elif voyage.told_at is not None:
                entry.closed_at = voyage.told_at


def _triple(request: Request) -> tuple[str, ...]:
    form = dict(part.split("=", 1) for part in request.body.decode().split("&"))
    return (form["platform"].lower(),)  # one instance and one user on every stage


def _delivered(answer: Answer) -> Response:
    if answer.delivery.kind != "full":
        raise ConnectionLost("The server hung up without an answer.")
    return Response(status=answer.status, headers=answer.headers, body=answer.body, timings=Timings())
