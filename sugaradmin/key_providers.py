"""Where the encryption keys come from: the environment, a file, or a module of the operator's that asks a key service.

A provider is a function of the environment and the data directory. It is called once in each process, at start, and
answers the ring as `id:base64,…`, the first of which seals; or nothing, where it holds none. It reads its own settings
through the environment it is given, so that a misspelt one is noticed. So a key service needs to know one thing: how to
unwrap what was wrapped; what it unwrapped stays in memory. Only the file is ours to change, by page or by command
(`connections.custody.ring_changes`), and is read anew whenever it has changed.

    # acme_keys.py, beside manage.py; SUGARADMIN_KEY_PROVIDER=acme_keys:unwrapped
    def unwrapped(env, data_dir):
        wrapped = env.text("ACME_WRAPPED_KEYS")
        return acme_kms.decrypt(wrapped).decode()
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from sugaradmin import keys
from sugaradmin.env import EnvError, Environment

NAME = "SUGARADMIN_KEY_PROVIDER"
FILE = "encryption_keys"
EXAMPLE = "id:base64,…"
KeyProvider = Callable[[Environment, Path], str]


def from_environment(env: Environment, data_dir: Path) -> str:
    """SUGARADMIN_ENCRYPTION_KEYS, or the file that SUGARADMIN_ENCRYPTION_KEYS_FILE names."""
    return env.secret("SUGARADMIN_ENCRYPTION_KEYS", example=EXAMPLE)


def from_file(env: Environment, data_dir: Path) -> str:
    """`encryption_keys` in the data directory, mode 0600."""
    if env.secret("SUGARADMIN_ENCRYPTION_KEYS", example=EXAMPLE):
        raise EnvError(f"{NAME}=file and SUGARADMIN_ENCRYPTION_KEYS are both set: keep one of them.")
    return keys.read(data_dir / FILE)


BUILT_IN: dict[str, KeyProvider] = {"environment": from_environment, "file": from_file}


def is_file(env: Environment) -> bool:
    return BUILT_IN.get(_name(env)) is from_file


def ring(env: Environment, data_dir: Path) -> str:
    """What the chosen provider gives. Raises EnvError, which repeats nothing of what a provider said."""
    name = _name(env)
    provider = BUILT_IN.get(name)
    if provider is not None:
        return provider(env, data_dir)
    from_environment(env, data_dir)  # its names are known, whoever gives the keys
    try:
        given: object = _theirs(name)(env, data_dir)
    except EnvError:
        raise
    except Exception as error:  # whatever a module of somebody else's does, the start ends in one clear line
        raise EnvError(f"{NAME}={name} gave no keys: {type(error).__name__}.") from None
    if not isinstance(given, str) or not given.strip():
        raise EnvError(f"{NAME}={name} gave no keys; it must answer {EXAMPLE}")
    return given.strip()


def _name(env: Environment) -> str:
    return env.text(NAME, "environment")


def _theirs(name: str) -> KeyProvider:
    module, colon, function = name.partition(":")
    if not colon:
        raise EnvError(f"{NAME}={name} is none of {', '.join(BUILT_IN)}, and no module:function")
    provider: KeyProvider = getattr(import_module(module), function)
    return provider
