from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from connections.custody import guard, keys
from connections.custody.handout import find
from connections.models import AuditRow, Connection, Event
from connections.simulator import SimulatorServer
from tests.commands.conftest import Run
from tests.conftest import Configured

SECRET = "=Sooo secret"


@pytest.fixture(autouse=True)
def reachable(transactional_db: None, configured: Configured) -> None:
    configured(allow_http=True, instance_rate=0.0)
    guard.forget()


def entry(number: int, **own: Any) -> dict[str, Any]:
    described = {
        "tenant": "acme",
        "label": f"Customer {number}",
        "instance_url": f"http://127.0.0.1:{20_000 + number}/",
        "platform": "intg",
        "username": "svc",
        "password": SECRET,
        "external_id": f"e-{number}",
        "tags": ["erp", "eu"],
    }
    return described | own


def outcomes(told: dict[str, Any]) -> list[str]:
    return [row["outcome"] for row in told["rows"]]


def test_json_from_standard_input_becomes_drafts_and_again_changes_nothing(run: Run) -> None:
    text = json.dumps([entry(1), entry(2, external_id="")])
    told = run("import_connections", "-", "--json", stdin=text).json
    assert (told["created"], outcomes(told)) == (2, ["created", "created"])
    row = find(told["rows"][0]["id"], None)
    assert row.password is not None
    assert keys.keyring().open(row.password, keys.password_context(row)) == SECRET
    before = Event.objects.count(), AuditRow.objects.count()
    assert outcomes(run("import_connections", "-", "--json", stdin=text).json) == ["unchanged", "unchanged"]
    assert (Event.objects.count(), AuditRow.objects.count()) == before


def test_a_row_finds_its_connection_and_changes_only_what_differs(run: Run) -> None:
    text = json.dumps([entry(1), entry(2, external_id="")])
    first = run("import_connections", "-", "--json", stdin=text).json
    changed = json.dumps([entry(1, label="New"), entry(2, external_id="", username="SVC", tags=["us"])])
    again = run("import_connections", "-", "--json", stdin=changed).json
    assert outcomes(again) == ["updated", "updated"]
    assert [row["id"] for row in again["rows"]] == [row["id"] for row in first["rows"]]
    one, two = (find(row["id"], None) for row in again["rows"])
    assert (one.label, one.password_number) == ("New", 1)
    assert [tag.name for tag in two.tags.all()] == ["us"]


def test_a_row_that_moves_to_another_instance_brings_its_password_along(run: Run) -> None:
    run("import_connections", "-", stdin=json.dumps([entry(1)]))
    moved = json.dumps([entry(1, instance_url="http://127.0.0.1:29999/")])
    assert outcomes(run("import_connections", "-", "--json", stdin=moved).json) == ["updated"]
    row = Connection.objects.get()
    assert row.password is not None


def test_bad_rows_are_named_and_good_ones_taken(run: Run) -> None:
    run("import_connections", "-", stdin=json.dumps([entry(9, tenant="other", external_id="")]))
    rows = [
        entry(1),
        entry(2, platform="base"),
        entry(3, colour="red"),
        entry(1, external_id="twice"),
        entry(9, external_id=""),
        entry(4, tenant="Not A Slug!", sign_in="perhaps"),
        entry(5, password=f"{SECRET}\x00"),
        {},
    ]
    told = run("import_connections", "-", "--json", stdin=json.dumps(rows))
    assert told.error == "7 of 8 rows were refused."
    assert SECRET not in told.out + told.err + told.error
    found = json.loads(told.out)["rows"]
    assert [(row["row"], row["outcome"]) for row in found] == [(1, "created"), *((n, "refused") for n in range(2, 9))]
    assert [row["code"] for row in found[1:]] == [
        "platform_shared", "invalid", "invalid", "connection_exists", "invalid", "invalid", "invalid",
    ]  # fmt: skip
    assert set(found[2]["errors"]) == {"colour"}
    assert set(found[5]["errors"]) == {"tenant", "sign_in"}
    assert Connection.objects.count() == 2


def test_a_dry_run_tells_the_same_and_writes_nothing(run: Run) -> None:
    told = run("import_connections", "-", "--dry-run", "--json", stdin=json.dumps([entry(1)])).json
    assert (told["dry_run"], told["created"]) == (True, 1)
    assert not Connection.objects.exists()
    assert "Nothing was written" in run("import_connections", "-", "--dry-run", stdin=json.dumps([entry(1)])).out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing in it"),
        ("[{", "not JSON (line 1)"),
        ('{"a": 1}', "A list of objects"),
        ("[1]", "A list of objects"),
        (f"acme,{SECRET}\n", "must name each column"),
        ("label,label,tenant\n1,2,3\n", "must name each column"),
    ],
)
def test_a_file_that_is_no_list_of_connections_is_refused_whole(run: Run, text: str, said: str) -> None:
    refused = run("import_connections", "-", stdin=text)
    assert said in refused.error
    assert SECRET not in refused.error


def test_a_file_that_is_not_there_ends_in_one_line(run: Run, tmp_path: Path) -> None:
    assert "cannot be read" in run("import_connections", str(tmp_path / "none.csv")).error


def test_csv_as_spreadsheets_write_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "\ufefftenant;label;instance_url;platform;username;password;store_password;tags;server_seconds\r\n"
        f'acme;"One; two";http://127.0.0.1:20001;intg;svc;{SECRET};no;erp eu;40\r\n'
        "acme;Three;http://127.0.0.1:20002;intg;svc;x;yes;;;;too;many\r\n"
        ";;;;;;;;\r\n"
    )
    told = run("import_connections", str(file), "--json")
    assert told.error == "1 of 2 rows were refused."
    assert "more cells" in told.out
    row = Connection.objects.get()
    assert (row.label, row.store_password, row.server_seconds, row.password) == ("One; two", False, 40, None)


def test_an_export_has_no_secret_runs_no_formula_and_comes_back_unchanged(run: Run) -> None:
    labels = ["=HYPERLINK(1)", "'=quoted", "plain", "@x", "-1+2", "it's"]
    rows = [entry(number, label=label) for number, label in enumerate(labels)]
    run("import_connections", "-", stdin=json.dumps(rows))
    given = run("export_connections", "--csv").out
    assert SECRET not in given
    cells = [cell for line in csv.reader(io.StringIO(given, newline="")) for cell in line]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert outcomes(run("import_connections", "-", "--json", stdin=given).json) == ["unchanged"] * len(labels)
    as_json = run("export_connections", "--json").json
    assert [row["label"] for row in as_json] == labels
    assert not {"password", "client_secret", "refresh_token"}.intersection(as_json[0])
    assert outcomes(run("import_connections", "-", "--json", stdin=json.dumps(as_json)).json) == ["unchanged"] * 6
    assert run("export_connections", "--tenant", "nobody").json == []
    exported = AuditRow.objects.filter(action="export_connections").order_by("id")
    assert [row.difference["count"] for row in exported] == [6, 6, 0]
    assert {row.actor_kind for row in exported} == {"command"}


def test_rows_that_ask_for_it_sign_in_and_a_failed_one_stays_a_draft_that_says_why(
    run: Run, simulator: SimulatorServer
) -> None:
    rows = []
    for number, password in enumerate(["secret", "wrong"]):
        simulator.control.add_instance(f"import{number}", "13.3")
        url = simulator.instance_url(f"import{number}")
        rows.append(entry(number, instance_url=url, password=password, sign_in=True))
    told = run("import_connections", "-", "--json", stdin=json.dumps(rows)).json
    found = [find(row["id"], None) for row in told["rows"]]
    assert [row.status for row in found] == ["healthy", "draft"]  # type: ignore[attr-defined]
    assert found[1].diagnosis_code


def test_a_row_with_a_refresh_token_adopts_its_chain(run: Run, simulator: SimulatorServer) -> None:
    simulator.control.add_instance("adopted", "13.3")
    token = simulator.control.instance("adopted").outside_login("svc", "intg")["refresh_token"]
    row = entry(1, instance_url=simulator.instance_url("adopted"), refresh_token=token, sign_in=True)
    before = simulator.control.count(instance="adopted", endpoint="token", grant="password")
    told = run("import_connections", "-", "--json", stdin=json.dumps([row])).json
    assert find(told["rows"][0]["id"], None).status == "healthy"  # type: ignore[attr-defined]
    assert simulator.control.count(instance="adopted", endpoint="token", grant="password") == before
