"""A fleet with a connection in every status: each one really driven through the simulator, no row written by hand."""

from __future__ import annotations

from connections.custody import actions
from connections.custody.problems import CustodyProblem
from connections.simulator.control import InstanceControl
from tests.custody.conftest import ANA, Connect, Kept

ADDRESS = {
    "healthy": "Northwind Traders",
    "dying": "Acme EU",
    "down": "Zeta Industries",
    "unreachable": "Umbrella Foods",
}


def fleet(connect: Connect) -> dict[str, Kept]:
    """By name of what is wrong with it."""
    kept = {name: make(connect) for name, make in MAKERS.items()}
    for one in ("second", "third"):
        kept[f"healthy_{one}"] = connect("14.0", fields={"label": f"Fabrikam {one}", "tags": ["us"]})
    return kept


def healthy(connect: Connect) -> Kept:
    kept = connect("13.3", fields={"label": "Northwind Traders", "tags": ["eu", "gold"]})
    for _ in range(3):
        actions.rotate(kept.public_id, ANA)
    actions.test(kept.public_id, ANA)
    return kept


def dying(connect: Connect) -> Kept:
    """7.1 keeps the access token when the refresh row is gone: the chain is dead, workers do not know yet."""
    kept = connect("7.1", fields={"label": "Acme EU", "store_password": False, "tags": ["eu", "gold"]})
    actions.rotate(kept.public_id, ANA)
    kept.sugar.delete_rows("svc")
    kept.make_due()
    kept.tend()
    return kept


def down(connect: Connect) -> Kept:
    kept = connect("13.3", fields={"label": "Zeta Industries", "store_password": False, "tags": ["eu"]})
    actions.rotate(kept.public_id, ANA)
    kept.sugar.outside_login("svc", "intg")
    kept.make_due()
    kept.tend()
    return kept


def bad_credentials(connect: Connect) -> Kept:
    kept = connect("12.0", fields={"label": "Contoso Ltd."})
    kept.sugar.admin_change_password("svc", "another")
    kept.sugar.outside_login("svc", "intg")
    for _ in range(3):
        kept.lapse()
        kept.make_due()
        kept.tend()
    return kept


def in_doubt(connect: Connect) -> Kept:
    """The answer to a refresh is lost; nobody knows yet what Sugar did."""
    kept = connect("13.3", fields={"label": "Borealis AB", "server_seconds": 3600})
    kept.sugar.chaos("lost", grant="refresh", count=1)
    try:
        actions.rotate(kept.public_id, ANA)
    except CustodyProblem:
        pass
    return kept


def unreachable(connect: Connect) -> Kept:
    return _tended(connect, "Umbrella Foods", lambda sugar: sugar.maintenance(True))


def retrying(connect: Connect) -> Kept:
    """Locked out with a time: the stored password is tried again when it is over."""

    def lock(sugar: InstanceControl) -> None:
        sugar.outside_login("svc", "intg")
        sugar.lock_out("svc", 30)

    return _tended(connect, "Initech GmbH", lock)


def _tended(connect: Connect, label: str, happen: object) -> Kept:
    kept = connect("13.3", fields={"label": label})
    happen(kept.sugar)  # type: ignore[operator]
    kept.make_due()
    kept.tend()
    return kept


def draft(connect: Connect) -> Kept:
    return connect("14.0", sign_in=False, fields={"label": "Wayne Enterprises"})


def paused(connect: Connect) -> Kept:
    kept = connect("14.0", fields={"label": "Soylent Corp"})
    actions.pause(kept.public_id, ANA)
    return kept


def held(connect: Connect) -> Kept:
    kept = connect("14.0", fields={"label": "Tyrell"})
    actions.hold(kept.public_id, ANA)
    return kept


MAKERS = {
    "healthy": healthy,
    "dying": dying,
    "down": down,
    "bad_credentials": bad_credentials,
    "in_doubt": in_doubt,
    "unreachable": unreachable,
    "retrying": retrying,
    "draft": draft,
    "paused": paused,
    "held": held,
}
