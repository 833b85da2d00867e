"""The sample fleet: every status, and most of what can be wrong with a connection."""

from __future__ import annotations

from connections.choices import DiagnosisCode as Code
from connections.choices import Status
from connections.demo import stories
from connections.demo.stage import KEEPS_EXPIRED, KEY, NO_PASSWORD, Sample

HOURS = 3600
OWN_KEY = {"client_id": KEY, "client_secret": KEY}

SAMPLES: tuple[Sample, ...] = (
    Sample(
        name="acme", label="Acme: orders to ERP", tenant="acme", preset="13.3", status=Status.HEALTHY,
        story=stories.lives, access_seconds=60, tags=("erp",),
    ),
    Sample(
        name="acme-cloud", label="Acme: marketing on SugarCloud", tenant="acme", preset="cloud",
        status=Status.HEALTHY, story=stories.lives, access_seconds=240, tags=("marketing",),
    ),
    Sample(
        name="borealis", label="Borealis: data warehouse", tenant="borealis", preset="12.0", status=Status.HEALTHY,
        story=stories.lives, access_seconds=240, tags=("warehouse",),
    ),
    Sample(
        name="cobalt", label="Cobalt: telephony", tenant="cobalt", preset="7.7", status=Status.HEALTHY,
        story=stories.lives, access_seconds=300, fields=OWN_KEY, tags=("telephony",),
    ),
    Sample(
        name="dunes", label="Dunes: healed by the stored password", tenant="dunes", preset="13.3",
        status=Status.HEALTHY, story=stories.loses_its_sessions_and_heals,
    ),
    Sample(
        name="ember", label="Ember: two systems on one platform", tenant="ember", preset="14.0",
        status=Status.HEALTHY, code=Code.PLATFORM_SHARED, story=stories.fights_over_its_platform,
    ),
    Sample(
        name="fjord", label="Fjord: password changed, not told us", tenant="fjord", preset="13.3",
        status=Status.HEALTHY, code=Code.PASSWORD_STALE, story=stories.has_a_stale_password,
    ),
    Sample(
        name="gale", label="Gale: paused for their migration", tenant="gale", preset="14.0", status=Status.PAUSED,
        story=stories.is_paused,
    ),
    Sample(
        name="harbour", label="Harbour: held, contract ends", tenant="harbour", preset="13.3", status=Status.PAUSED,
        story=stories.is_held,
    ),
    Sample(
        name="iris", label="Iris: described, not signed in yet", tenant="iris", preset="13.3", status=Status.DRAFT,
        story=stories.waits_for_its_first_sign_in, tags=("onboarding",),
    ),
    Sample(
        name="juniper", label="Juniper: platform not registered", tenant="juniper", preset="14.0",
        status=Status.DRAFT, code=Code.PLATFORM_NOT_REGISTERED, story=stories.lacks_its_platform,
        tags=("onboarding",),
    ),
    Sample(
        name="krill", label="Krill: wrong password", tenant="krill", preset="13.3", status=Status.DRAFT,
        code=Code.BAD_CREDENTIALS, story=stories.has_a_wrong_password, tags=("onboarding",),
    ),
    Sample(
        name="lumen", label="Lumen: OAuth key changed", tenant="lumen", preset="13.3", status=Status.DYING,
        code=Code.CLIENT_INVALID, story=stories.loses_its_key, access_seconds=8 * HOURS, fields=OWN_KEY,
    ),
    Sample(
        name="mistral", label="Mistral: idle too long, no password", tenant="mistral", preset="7.1",
        status=Status.DYING, code=Code.REFRESH_TOKEN_EXPIRED, story=stories.lay_idle_too_long,
        access_seconds=6 * HOURS, fields=NO_PASSWORD, parameters=KEEPS_EXPIRED,
    ),
    Sample(
        name="nimbus", label="Nimbus: superseded, no password", tenant="nimbus", preset="13.3", status=Status.DOWN,
        code=Code.REFRESH_TOKEN_SUPERSEDED, story=stories.is_superseded_for_good, fields=NO_PASSWORD,
    ),
    Sample(
        name="onyx", label="Onyx: locked out until an admin acts", tenant="onyx", preset="13.3", status=Status.DOWN,
        code=Code.LOCKED_OUT, story=stories.is_locked_out,
    ),
    Sample(
        name="prism", label="Prism: password and chain are gone", tenant="prism", preset="14.0", status=Status.DOWN,
        code=Code.BAD_CREDENTIALS, story=stories.has_lost_password_and_chain,
    ),
    Sample(
        name="quarry", label="Quarry: single sign-on for everybody", tenant="quarry", preset="13.3",
        status=Status.DOWN, code=Code.SSO_REQUIRED, story=stories.must_sign_in_by_browser,
    ),
    Sample(
        name="raven", label="Raven: locked out for an hour", tenant="raven", preset="13.3", status=Status.RETRYING,
        code=Code.LOCKED_OUT, story=stories.is_locked_out_for_an_hour,
    ),
    Sample(
        name="sable", label="Sable: answers get lost", tenant="sable", preset="13.3", status=Status.IN_DOUBT,
        story=stories.loses_answers,
    ),
    Sample(
        name="tundra", label="Tundra: in maintenance", tenant="tundra", preset="13.3", status=Status.UNREACHABLE,
        code=Code.MAINTENANCE, story=stories.is_in_maintenance,
    ),
    Sample(
        name="umbra", label="Umbra: licence expired", tenant="umbra", preset="14.0", status=Status.UNREACHABLE,
        code=Code.LICENSE, story=stories.ran_out_of_licence,
    ),
    Sample(
        name="vesper", label="Vesper: server switched off", tenant="vesper", preset="13.3",
        status=Status.UNREACHABLE, code=Code.CONNECTION_REFUSED, story=stories.is_switched_off,
    ),
    Sample(
        name="willow", label="Willow: moved elsewhere", tenant="willow", preset="13.3", status=Status.UNREACHABLE,
        code=Code.MOVED, story=stories.moved_away,
    ),
    Sample(
        name="xenon", label="Xenon: a firewall in front", tenant="xenon", preset="13.3", status=Status.UNREACHABLE,
        code=Code.FIREWALL_BLOCKED, story=stories.hides_behind_a_firewall,
    ),
)  # fmt: skip
