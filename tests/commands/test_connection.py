from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from connections.custody import keys
from connections.custody.audit import Actor
from connections.custody.handout import find
from connections.models import AuditRow, Connection
from connections.onboarding.access import create_api_key
from connections.simulator import SimulatorServer
from tests.commands.conftest import Run
from tests.conftest import Configured
from tests.custody.conftest import Connect
from tests.dashboard.people import person

ANA = Actor(kind="staff", name="ana")
SECRET = "Correct horse, battery "


def described(simulator: SimulatorServer, name: str, *more: str) -> list[str]:
    url = simulator.instance_url(name)
    fields = ["--tenant", "acme", "--label", "ERP", "--instance-url", url, "--platform", "intg", "--username", "svc"]
    return ["connection", "add", *fields, "--json", *more]


@pytest.fixture
def sugar(
    simulator: SimulatorServer, transactional_db: None, configured: Configured, request: pytest.FixtureRequest
) -> str:
    configured(allow_http=True, instance_rate=0.0, preflight=timedelta(seconds=2))
    name = f"cmd{abs(hash(request.node.name))}"
    simulator.control.add_instance(name, "13.3")
    return name


def test_add_stores_a_draft_with_secrets_from_standard_input_and_files(
    run: Run, simulator: SimulatorServer, sugar: str, tmp_path: Path
) -> None:
    (tmp_path / "client").write_text("client secret\n")
    more = ("--password-stdin", "--client-secret-file", str(tmp_path / "client"), "--tag", "erp", "--tag", "eu")
    shown = run(*described(simulator, sugar, *more), stdin=f"{SECRET}\n").json
    assert (shown["status"], shown["tags"], shown["token"]) == ("draft", ["erp", "eu"], None)
    row = find(shown["id"], None)
    assert row.password is not None
    assert row.client_secret is not None
    assert keys.keyring().open(row.password, keys.password_context(row)) == SECRET
    assert keys.keyring().open(row.client_secret, keys.client_secret_context(row)) == "client secret"
    assert SECRET not in json.dumps(list(AuditRow.objects.values_list("difference", flat=True)))


@pytest.mark.parametrize("option", ["--password", "--client-secret", "--refresh-token"])
def test_a_secret_is_never_an_argument(run: Run, simulator: SimulatorServer, sugar: str, option: str) -> None:
    assert run(*described(simulator, sugar, option, "secret")).error
    assert not Connection.objects.exists()


def test_add_signs_in_at_once_and_says_what_failed(run: Run, simulator: SimulatorServer, sugar: str) -> None:
    refused = run(*described(simulator, sugar, "--sign-in", "--password-stdin"), stdin="wrong\n")
    shown = json.loads(refused.out)
    assert shown["status"] == "draft"
    assert refused.error.startswith(shown["diagnosis"]["code"])
    again = run("connection", "sign-in", shown["id"], "--password-stdin", "--json", stdin="secret\n").json
    assert (again["outcome"], again["version"], again["connection"]["status"]) == ("done", 1, "healthy")


def test_add_adopts_a_chain_by_a_refresh(run: Run, simulator: SimulatorServer, sugar: str, tmp_path: Path) -> None:
    """A sign-in would have ended the very session that was to be adopted."""
    token = tmp_path / "token"
    token.write_text(simulator.control.instance(sugar).outside_login("svc", "intg")["refresh_token"])
    shown = run(*described(simulator, sugar, "--refresh-token-file", str(token), "--sign-in")).json
    assert (shown["status"], shown["token"]["version"]) == ("healthy", 1)
    assert simulator.control.count(instance=sugar, endpoint="token", grant="refresh") == 1


def test_bad_fields_end_in_one_line_that_names_each_and_echoes_no_secret(run: Run, transactional_db: None) -> None:
    words = ["--tenant", "acme", "--label", "x", "--instance-url", "ftp://x", "--platform", "base", "--username", "u"]
    refused = run("connection", "add", *words, "--password-stdin", stdin=f"{SECRET}\x01\n")
    assert all(name in refused.error for name in ("instance_url", "platform", "password"))
    assert SECRET not in refused.error + refused.out + refused.err
    assert run("connection", "show", "c_nobody0000").error == "not_found: There is no such connection."
    assert "named" in run("connection", "edit", "c_nobody0000").error


def test_its_json_is_the_representation_of_the_api(run: Run, connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False, "tags": ["b", "a"]})
    kept.sugar.outside_login("svc", "intg")
    assert run("connection", "rotate", kept.public_id).error.startswith("refresh_token_superseded: ")
    key = create_api_key("reader", ["connections:read"], ANA).key
    answer = Client(headers={"Authorization": f"Bearer {key}"}).get(f"/api/v1/connections/{kept.public_id}")
    assert answer.status_code == 200, answer.content
    shown = run("connection", "show", kept.public_id, "--json").json
    assert shown == answer.json()
    assert shown["diagnosis"]["evidence"][0]["event"] is not None
    assert run("connection", "list", "--json").json == [shown]
    told = run("connection", "show", kept.public_id).out
    assert "refresh_token_superseded" in told
    assert shown["diagnosis"]["help_url"] in told


def test_list_takes_the_filters_of_the_api(run: Run, connect: Connect) -> None:
    first = connect("13.3", fields={"tags": ["erp"], "external_id": "e-1", "label": "Orders"})
    connect("13.3", fields={"label": "Other"}, sign_in=False)

    def found(*words: str) -> list[str]:
        return [row["label"] for row in run("connection", "list", "--json", *words).json]

    assert found() == ["Orders", "Other"]
    for words in (
        ("--status", "healthy,dying"), ("--tag", "erp"), ("--external-id", "e-1"), ("--q", "rder"),
        ("--q", first.public_id), ("--tenant", "acme", "--status", "healthy"),
    ):  # fmt: skip
        assert found(*words) == ["Orders"], words
    assert found("--tenant", "nobody") == []
    assert "There is no status well" in run("connection", "list", "--status", "well").error


def test_edit_changes_what_is_named_and_nothing_else(run: Run, connect: Connect) -> None:
    kept = connect("13.3", fields={"tags": ["old"]})
    shown = run("connection", "edit", kept.public_id, "--label", "New", "--tag", "new", "--json").json
    assert (shown["label"], shown["tags"], shown["status"]) == ("New", ["new"], "healthy")
    assert run("connection", "edit", kept.public_id, "--no-store-password", "--json").json["status"] == "healthy"
    assert kept.row.password is None
    person("operator")
    run("connection", "edit", kept.public_id, "--owner", "operator")
    assert str(kept.row.owner) == "operator"
    assert "may see this connection" in run("connection", "edit", kept.public_id, "--owner", "nobody").error


def test_the_actions_do_what_they_say(run: Run, connect: Connect) -> None:
    kept = connect("13.3")
    one = kept.public_id
    assert [check["ok"] for check in run("connection", "test", one, "--json").json["checks"]] == [True] * 3
    assert run("connection", "rotate", one, "--json").json["version"] == 2
    assert run("connection", "rotate", one, "--version", "1", "--json").json["outcome"] == "unchanged"
    assert run("connection", "repair", one, "--json").json["outcome"] == "unchanged"
    assert run("connection", "pause", one, "--json").json["status"] == "paused"
    assert run("connection", "rotate", one).error.startswith("paused: ")
    assert run("connection", "resume", one, "--json").json["status"] == "healthy"
    assert run("connection", "hold", one, "--json").json["status"] == "paused"
    assert run("connection", "pause", one).error.startswith("held")
    assert run("connection", "resume", one, "--json").json["status"] == "healthy"
    assert run("connection", "delete", one, "--json").json == {"id": one, "deleted": True}
    assert run("connection", "show", one).error.startswith("not_found")
    by = set(AuditRow.objects.exclude(actor="ana").values_list("actor_kind", flat=True))
    assert by == {"command"}


def test_a_test_that_fails_fails_the_command(run: Run, connect: Connect) -> None:
    kept = connect("13.3")
    kept.sugar.maintenance()
    failed = run("connection", "test", kept.public_id)
    assert failed.error.startswith("Failed: instance")
    assert "FAIL" in failed.out


def test_repair_mends_many_at_once_and_counts_who_could_not_be(run: Run, connect: Connect) -> None:
    well, ill = connect("13.3"), connect("13.3")
    for kept in (well, ill):
        kept.sugar.delete_rows("svc")
    ill.sugar.lock_out("svc")
    for kept in (well, ill):
        kept.sugar.maintenance()
        run("connection", "rotate", kept.public_id)
        assert kept.row.status == "unreachable"
        kept.sugar.maintenance(False)
    mended = run("connection", "repair", "--status", "unreachable", "--json")
    assert mended.error == "1 of 2 could not be repaired."
    outcomes = {one["connection"]: (one["outcome"], one["code"]) for one in json.loads(mended.out)}
    assert outcomes == {well.public_id: ("done", None), ill.public_id: ("failed", "locked_out")}
    assert "Name a connection" in run("connection", "repair").error
