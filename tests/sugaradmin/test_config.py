"""What an environment makes of an installation: keys, addresses, networks."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sugaradmin import keys
from sugaradmin.config import Config, load
from sugaradmin.env import EnvError, Environment

SECRET = "s" * 60
RING = "k1:" + keys.new_key()


def configured(data_dir: Path, **variables: str) -> Config:
    names = {f"SUGARADMIN_{name}": value for name, value in variables.items()}
    return load(Environment({"SUGARADMIN_DATA_DIR": str(data_dir), **names}), root=Path("/"))


def development(data_dir: Path, **variables: str) -> Config:
    return configured(data_dir, ENV="development", **variables)


def production(data_dir: Path, **variables: str) -> Config:
    return configured(data_dir, **{"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": RING, **variables})


def test_development_makes_its_keys_once_and_closes_them_to_others(tmp_path: Path) -> None:
    first, second = development(tmp_path / "new"), development(tmp_path / "new")
    assert first == second
    assert first.secret_key
    assert first.encryption_keys.startswith("k1:")
    for name in ("secret_key", "encryption_keys", "instance_id"):
        assert stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_processes_that_start_together_end_with_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: keys.kept(tmp_path / "key", keys.new_key), range(64)))
    assert len(set(made)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_production_makes_no_key_and_says_how_to_make_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(EnvError, match=rf"SUGARADMIN_{name} is not set.*openssl rand"):
        production(tmp_path, **{name: ""})
    assert not (tmp_path / name.lower()).exists()


OIDC = {"OIDC_ISSUER": "https://id.example.com/realms/a/", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "canary"}


def test_single_sign_on_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    assert production(tmp_path).single_sign_on is None
    found = production(tmp_path, **OIDC).single_sign_on
    assert found is not None
    assert (found.issuer, found.claim) == ("https://id.example.com/realms/a", "preferred_username")
    assert "canary" not in repr(found)


@pytest.mark.parametrize("name", sorted(OIDC))
def test_a_part_of_single_sign_on_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EnvError, match="go together"):
        production(tmp_path, **OIDC | {name: ""})


def test_production_wants_its_identity_provider_by_https(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match="SUGARADMIN_OIDC_ISSUER"):
        production(tmp_path, **OIDC | {"OIDC_ISSUER": "http://id.example.com"})


def test_production_takes_a_key_that_lies_in_the_data_directory(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text(SECRET)
    assert production(tmp_path, SECRET_KEY="").secret_key == SECRET


def test_a_short_secret_key_is_refused_without_being_quoted(tmp_path: Path) -> None:
    with pytest.raises(EnvError) as caught:
        production(tmp_path, SECRET_KEY="too-short")
    assert "too-short" not in str(caught.value)


def test_no_secret_shows_in_its_repr(tmp_path: Path) -> None:
    shown = repr(production(tmp_path, METRICS_TOKEN="metrics-canary", MAIL_PASSWORD="mail-canary"))
    assert SECRET not in shown
    assert RING not in shown
    assert "canary" not in shown


def test_a_data_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvError, match="SUGARADMIN_DATA_DIR"):
        development(tmp_path / "file" / "below")


def test_only_development_may_reach_this_machine(tmp_path: Path) -> None:
    assert development(tmp_path, ALLOWED_NETWORKS="127.0.0.0/8").allowed_networks
    for network in ("127.0.0.0/8", "0.0.0.0/0", "::1/128", "::/0"):
        with pytest.raises(EnvError, match="this machine itself"):
            production(tmp_path, ALLOWED_NETWORKS=network)


def test_hosts_and_address_are_each_others_default(tmp_path: Path) -> None:
    by_address = production(tmp_path, BASE_URL="https://sugar.example.com/")
    assert by_address.base_url == "https://sugar.example.com"
    assert "sugar.example.com" in by_address.allowed_hosts
    by_hosts = production(tmp_path, ALLOWED_HOSTS="sugar.example.com,other.example.com")
    assert by_hosts.base_url == "https://sugar.example.com"
    assert by_hosts.allowed_hosts == ("sugar.example.com", "other.example.com")


@pytest.mark.parametrize("url", ["http://sugar.example.com", "https://", "https://u@host", "https://host/?q=1"])
def test_production_has_a_plain_https_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(EnvError, match="SUGARADMIN_BASE_URL"):
        production(tmp_path, BASE_URL=url)
