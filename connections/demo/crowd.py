"""Who the thousands of a great demo are, and what befell each: names, hosts, tags, the course of its grants.

No rows and no clock: one size makes one crowd, so that two demos, or two measurements, see the same fleet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from connections.choices import DiagnosisCode as Code
from connections.choices import Fault, Status, Trouble

# One letter for each grant of a connection's course.
GOOD, BLIP, FAILED = "g", "b", "f"
BLIPS = 0.01  # of all grants: a server error that the next try healed
TENANT_SIZE = 25
INSTANCES_OF_A_TENANT = 3

FIRST = (
    "Amber", "Arctic", "Birch", "Boreal", "Cedar", "Cobalt", "Coral", "Crimson", "Delta", "Ember", "Fjord", "Garnet",
    "Harbour", "Indigo", "Juniper", "Lumen", "Meridian", "Nimbus", "Onyx", "Prairie",
)  # fmt: skip
SECOND = (
    "Foods", "Freight", "Health", "Hotels", "Insurance", "Instruments", "Leasing", "Logistics", "Media", "Motors",
    "Optics", "Paper", "Pharma", "Power", "Retail", "Shipping", "Steel", "Textiles", "Timber", "Travel",
)  # fmt: skip
PURPOSES = ("orders", "marketing", "telephony", "warehouse", "support", "invoices", "events", "archive")
REGIONS = ("eu", "us", "apac")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a connection has come to, and how its last grants show it."""

    weight: int  # of a thousand
    status: Status
    trouble: Trouble = Trouble.NONE
    code: Code | None = None
    fault: Fault | None = None
    http_status: int | None = None
    error: str = ""
    message: str = ""
    rounds: tuple[int, int] = (0, 0)
    """Least and most grants that failed since."""
    keeps_password: bool = True
    is_burnt: bool = False
    """Sugar refused its refresh token."""
    is_before: bool = False
    """Seen by the look before a grant, so that nothing was sent."""
    is_of_host: bool = False
    """All connections of the instance share it."""


WELL = Fate(weight=900, status=Status.HEALTHY)
FATES = (
    Fate(
        weight=6, status=Status.DYING, trouble=Trouble.PERSON, code=Code.REFRESH_TOKEN_SUPERSEDED,
        fault=Fault.REFRESH_TOKEN_INVALID, http_status=400, error="invalid_grant", message="Invalid refresh token",
        rounds=(1, 1), keeps_password=False, is_burnt=True,
    ),
    Fate(
        weight=3, status=Status.DYING, trouble=Trouble.PERSON, code=Code.CLIENT_INVALID, fault=Fault.CLIENT_INVALID,
        http_status=400, error="invalid_client", message="The client credentials are invalid", rounds=(1, 1),
    ),
    Fate(
        weight=6, status=Status.DOWN, trouble=Trouble.PERSON, code=Code.REFRESH_TOKEN_SUPERSEDED,
        fault=Fault.REFRESH_TOKEN_INVALID, http_status=400, error="invalid_grant", message="Invalid refresh token",
        rounds=(3, 20), keeps_password=False, is_burnt=True,
    ),
    Fate(
        weight=5, status=Status.DOWN, trouble=Trouble.PERSON, code=Code.BAD_CREDENTIALS,
        fault=Fault.CREDENTIALS_REFUSED, http_status=401, error="need_login",
        message="You must specify a valid username and password.", rounds=(3, 12), is_burnt=True,
    ),
    Fate(
        weight=3, status=Status.DOWN, trouble=Trouble.PERSON, code=Code.PLATFORM_NOT_REGISTERED,
        fault=Fault.PLATFORM_NOT_REGISTERED, http_status=422, error="invalid_parameter",
        message="The platform is not registered", rounds=(3, 30), is_before=True,
    ),
    Fate(
        weight=6, status=Status.IN_DOUBT, trouble=Trouble.IN_DOUBT, code=Code.TIMEOUT, fault=Fault.TIMEOUT,
        rounds=(1, 1),
    ),
    Fate(
        weight=8, status=Status.UNREACHABLE, trouble=Trouble.UNREACHABLE, code=Code.MAINTENANCE,
        fault=Fault.MAINTENANCE, http_status=503, error="maintenance", message="Sugar is in maintenance", rounds=(1, 3),
        is_before=True, is_of_host=True,
    ),
    Fate(
        weight=5, status=Status.UNREACHABLE, trouble=Trouble.UNREACHABLE, code=Code.CONNECTION_REFUSED,
        fault=Fault.CONNECTION_REFUSED, rounds=(1, 30), is_before=True, is_of_host=True,
    ),
    Fate(
        weight=4, status=Status.UNREACHABLE, trouble=Trouble.UNREACHABLE, code=Code.TLS_INVALID,
        fault=Fault.TLS_INVALID, rounds=(2, 50), is_before=True, is_of_host=True,
    ),
    Fate(
        weight=9, status=Status.RETRYING, trouble=Trouble.RETRYING, code=Code.LOCKED_OUT, fault=Fault.LOCKED_OUT,
        http_status=401, error="need_login", message="Too many failed login attempts. Try again in 30 minutes.",
        rounds=(1, 2), is_burnt=True,
    ),
    Fate(weight=14, status=Status.PAUSED),
    Fate(weight=12, status=Status.DRAFT),
)  # fmt: skip
OF_CONNECTIONS = (WELL, *(fate for fate in FATES if not fate.is_of_host))
OF_HOSTS = (WELL, *(fate for fate in FATES if fate.is_of_host))


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One tenant to be."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One connection to be. `course`: its grants, oldest first."""

    number: int
    customer: int
    label: str
    host: str
    platform: str
    tags: tuple[str, ...]
    fate: Fate
    course: str
    access_hours: int

    @property
    def good(self) -> int:
        """How many token versions it has come to."""
        return self.course.count(GOOD)

    @property
    def events(self) -> int:
        """Its creation, one for each grant, one for each recovery, one for what is wrong now, or that it was paused."""
        is_paused = self.fate.status == Status.PAUSED
        return 1 + len(self.course) + self.course.count(BLIP) + (FAILED in self.course) + is_paused

    @property
    def last_good(self) -> int:
        """Place of the newest good grant in the course; -1: none."""
        return self.course.rfind(GOOD)


def customers(size: int) -> list[Customer]:
    """As many as `size` connections need; their names differ."""
    return [_customer(number) for number in range(-(-size // TENANT_SIZE))]


def _customer(number: int) -> Customer:
    again, place = divmod(number, len(FIRST) * len(SECOND))
    first, second = FIRST[place % len(FIRST)], SECOND[(place // len(FIRST) + place) % len(SECOND)]
    name = f"{first} {second}" + (f" {again + 1}" if again else "")
    return Customer(slug=name.lower().replace(" ", "-"), name=name)


def members(size: int, *, grants_each: int) -> Iterator[Member]:
    """`size` connections, each with a course of `grants_each`; drafts have none."""
    chance = random.Random(size)  # noqa: S311  # a crowd is no secret
    known = customers(size)
    hosts: dict[str, Fate] = {}
    for number in range(size):
        place, customer = divmod(number, len(known))
        instance = place % INSTANCES_OF_A_TENANT
        host = f"crm{instance + 1}.{known[customer].slug}.example"
        shared = hosts.setdefault(host, _drawn(OF_HOSTS, chance))
        fate = _drawn(OF_CONNECTIONS, chance)
        if fate is WELL:
            fate = shared
        purpose = PURPOSES[place % len(PURPOSES)]
        yield Member(
            number=number,
            customer=customer,
            label=f"{known[customer].name}: {purpose} {place + 1}",
            host=host,
            platform=f"sugaradmin_{place + 1}",
            tags=(purpose, REGIONS[customer % len(REGIONS)], *(["gold"] if chance.random() < 0.1 else [])),
            fate=fate,
            course=_course(fate, grants_each, chance),
            access_hours=chance.choice((2, 2, 3, 8) if fate.status == Status.DYING else (1, 1, 2)),
        )


def _drawn(fates: tuple[Fate, ...], chance: random.Random) -> Fate:
    return chance.choices(fates, weights=[fate.weight for fate in fates])[0]


def _course(fate: Fate, length: int, chance: random.Random) -> str:
    """It begins well, and its last grant is good where nothing is wrong."""
    if fate.status == Status.DRAFT:
        return ""
    failed = min(chance.randint(*fate.rounds), length - 1)
    good = "".join(BLIP if chance.random() < BLIPS else GOOD for _ in range(length - failed))
    good = f"{GOOD}{good[1:-1]}{GOOD}" if len(good) > 1 else GOOD
    return good.replace(BLIP * 2, BLIP + GOOD) + FAILED * failed
