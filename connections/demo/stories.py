"""What befalls the sample connections. Each is played by really driving the simulator, never by writing rows."""

from __future__ import annotations

from connections.custody import actions
from connections.demo.stage import KEY, NEW_PASSWORD, PLATFORM, USER, Stage

# -- alive


def lives(stage: Stage) -> None:
    stage.sign_in()
    stage.rotate()


def loses_its_sessions_and_heals(stage: Stage) -> None:
    """Another system signs in on our platform; the stored password brings the connection back."""
    stage.sign_in()
    stage.sugar.outside_login(USER, PLATFORM)
    stage.rotate()
    stage.repair()


def fights_over_its_platform(stage: Stage) -> None:
    """Twice within a day: from then on the platform counts as shared."""
    loses_its_sessions_and_heals(stage)
    stage.sugar.outside_login(USER, PLATFORM)
    stage.rotate()
    stage.repair()


def has_a_stale_password(stage: Stage) -> None:
    """The chain lives on; the next time the password is needed, it will not fit."""
    stage.sign_in()
    stage.sugar.admin_change_password(USER, NEW_PASSWORD)
    stage.sign_in()


# -- switched off by staff


def is_paused(stage: Stage) -> None:
    stage.sign_in()
    actions.pause(stage.public_id, stage.staff)


def is_held(stage: Stage) -> None:
    stage.sign_in()
    actions.hold(stage.public_id, stage.staff)


# -- never signed in


def waits_for_its_first_sign_in(stage: Stage) -> None:
    """Nothing: staff have only just described it."""


def lacks_its_platform(stage: Stage) -> None:
    """The customer's admin has not registered it yet."""
    stage.sugar.remove_platform(PLATFORM)
    stage.sign_in()


def has_a_wrong_password(stage: Stage) -> None:
    stage.sugar.admin_change_password(USER, NEW_PASSWORD)
    stage.sign_in()
    stage.sign_in()


# -- a person must act


def loses_its_key(stage: Stage) -> None:
    """The OAuth key got a new secret; workers go on until the access token ends."""
    stage.sign_in()
    stage.sugar.change_secret(KEY, NEW_PASSWORD)
    stage.rotate()


def lay_idle_too_long(stage: Stage) -> None:
    """On 7.1 the access token outlives its dead refresh token."""
    stage.sign_in()
    stage.sugar.expire_refresh_tokens(USER)
    stage.rotate()


def is_superseded_for_good(stage: Stage) -> None:
    """As above, but nobody stored a password."""
    stage.sign_in()
    stage.sugar.outside_login(USER, PLATFORM)
    stage.rotate()


def is_locked_out(stage: Stage) -> None:
    stage.sign_in()
    stage.sugar.delete_rows(USER)
    stage.sugar.lock_out(USER)
    stage.repair()


def has_lost_password_and_chain(stage: Stage) -> None:
    stage.sign_in()
    stage.sugar.admin_change_password(USER, NEW_PASSWORD)
    stage.sugar.outside_login(USER, PLATFORM)
    stage.repair()
    stage.repair()


def must_sign_in_by_browser(stage: Stage) -> None:
    """Single sign-on was switched on for everybody."""
    stage.sign_in()
    stage.sugar.delete_rows(USER)
    stage.sugar.act("configure", external_login_url="https://login.example/saml")
    stage.sugar.admin_change_password(USER, "lives elsewhere now")
    stage.repair()


# -- time heals


def is_locked_out_for_an_hour(stage: Stage) -> None:
    stage.sign_in()
    stage.sugar.delete_rows(USER)
    stage.sugar.lock_out(USER, minutes=60)
    stage.repair()


def loses_answers(stage: Stage) -> None:
    """Sugar rotates the token, the answer never arrives; and so on for each further try."""
    stage.sign_in()
    stage.sugar.chaos("lost", endpoint="token")
    stage.rotate()


def is_in_maintenance(stage: Stage) -> None:
    stage.sign_in()
    stage.sugar.maintenance()
    stage.rotate()


def ran_out_of_licence(stage: Stage) -> None:
    stage.sign_in()
    stage.sugar.license("expired")
    stage.rotate()


def is_switched_off(stage: Stage) -> None:
    stage.sign_in()
    stage.sugar.close_port()
    stage.rotate()


def moved_away(stage: Stage) -> None:
    stage.sign_in()
    stage.sugar.chaos("redirect", location="https://new-home.example/")
    stage.rotate()


def hides_behind_a_firewall(stage: Stage) -> None:
    stage.sign_in()
    stage.sugar.chaos("waf")
    stage.rotate()
