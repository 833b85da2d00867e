"""The free look at an instance, and where it is taken: a web server that does not rewrite addresses has Sugar's REST
API under another root."""

from __future__ import annotations

from dataclasses import replace

from connections.choices import Fault
from connections.custody import wire
from connections.custody.ledger import roots
from connections.sugar import Answer, Target, other_rest_path


def look(pk: int, generation: int, target: Target, *, is_fresh_wanted: bool) -> tuple[Target, Answer]:
    """The pre-flight, and the target that it is true of.

    What is not Sugar under the root that we know may be Sugar under the other: that is asked once before it is
    believed, and kept where Sugar itself speaks there. Whoever would send a grant holds a claim that is not sent yet.
    """
    answer = wire.preflight(target, is_fresh_wanted=is_fresh_wanted)
    if answer.fault != Fault.NOT_SUGAR:
        return target, answer
    other = replace(target, rest_path=other_rest_path(target.rest_path))
    second = wire.preflight(other, is_fresh_wanted=is_fresh_wanted)
    if second.is_kept_back:
        return target, second
    if not second.is_sugars:
        return target, answer
    is_kept = roots.keep(pk, generation=generation, before=target.rest_path, found=other.rest_path)
    return (other, second) if is_kept else (target, answer)
