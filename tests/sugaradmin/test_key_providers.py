"""Encryption keys from the environment, a file, or a module that asks a key service."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from sugaradmin import keys
from sugaradmin.env import EnvError, Environment
from tests.sugaradmin.test_config import RING, SECRET, configured

OTHER = "k9:" + keys.new_key()


def ring_of(data_dir: Path, **variables: str) -> str:
    return configured(data_dir, SECRET_KEY=SECRET, **variables).encryption_keys


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A key service: what was wrapped is the ring, turned round."""
    module = ModuleType("acme_keys")

    def unwrapped(env: Environment, data_dir: Path) -> str:
        return env.text("SUGARADMIN_ACME_WRAPPED")[::-1]

    module.unwrapped = unwrapped  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "acme_keys", module)
    return module


def test_the_environment_is_the_default(tmp_path: Path) -> None:
    assert ring_of(tmp_path, ENCRYPTION_KEYS=RING) == RING
    assert ring_of(tmp_path, ENCRYPTION_KEYS=RING, KEY_PROVIDER="environment") == RING


def test_a_file_of_the_data_directory(tmp_path: Path) -> None:
    (tmp_path / "encryption_keys").write_text(f"{OTHER}\n")
    assert ring_of(tmp_path, KEY_PROVIDER="file") == OTHER
    with pytest.raises(EnvError, match="both set"):
        ring_of(tmp_path, KEY_PROVIDER="file", ENCRYPTION_KEYS=RING)


def test_a_key_service_unwraps_with_settings_of_its_own(tmp_path: Path, service: ModuleType) -> None:
    variables = {"SUGARADMIN_KEY_PROVIDER": "acme_keys:unwrapped", "SUGARADMIN_ACME_WRAPPED": RING[::-1]}
    assert ring_of(tmp_path, KEY_PROVIDER="acme_keys:unwrapped", ACME_WRAPPED=RING[::-1]) == RING
    env = Environment(variables)
    assert "SUGARADMIN_ACME_WRAPPED" not in env.known


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("acme_keys:nothing", None, "AttributeError"), ("nowhere:unwrapped", None, "ModuleNotFoundError"),
        ("acme_keys", None, "no module:function"), ("acme_keys:unwrapped", "", "gave no keys"),
        ("acme_keys:unwrapped", 7, "gave no keys"), ("acme_keys:unwrapped", "k1:c2hvcnQ=", "does not parse"),
        ("acme_keys:unwrapped", RuntimeError("canary-secret"), "RuntimeError"),
    ],
    ids=["no function", "no module", "no colon", "empty", "a number", "short", "an error"],
)  # fmt: skip
def test_what_gives_no_ring_ends_the_start_in_one_line_without_a_secret(
    tmp_path: Path, service: ModuleType, name: str, answer: object, told: str
) -> None:
    def answers(env: Environment, data_dir: Path) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    if answer is not None:
        service.unwrapped = answers  # type: ignore[attr-defined]
    with pytest.raises(EnvError, match=told) as refused:
        ring_of(tmp_path, KEY_PROVIDER=name)
    assert "\n" not in str(refused.value)
    assert "canary" not in str(refused.value) and "c2hvcnQ" not in str(refused.value)
