"""Which files probably hold a secret, told by their names alone: a path in, yes or no out. Nothing is opened.

A guess on the careful side: being asked once too often costs a key press, a key in a prompt is gone for good.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate


@dataclass(frozen=True, slots=True)
class _Shape:
    """Lower-case shell patterns, for the last name; one with a slash is for the end of the path, one that ends with a
    slash for any folder on the way."""

    reason: str
    patterns: tuple[str, ...]


_SHAPES = (
    _Shape("environment files hold passwords and tokens", (".env*", "*.env")),
    _Shape("private keys of SSH", ("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "ssh_host_*_key", "*.ppk")),
    _Shape("private keys and certificates with keys", ("*.pem", "*.key", "*.p12", "*.pfx", "*.p8", "*.pk8")),
    _Shape("key stores", ("*.keystore", "*.jks", "*.kdbx", "*.kdb", "*.keychain", "*.keychain-db", "wallet.dat")),
    _Shape("log-ins of network clients", (".netrc", "_netrc", ".git-credentials", ".htpasswd", ".ftpconfig")),
    _Shape("log-ins of databases", (".pgpass", "pgpass.conf", ".my.cnf", ".mylogin.cnf")),
    _Shape("tokens of package registries", (".npmrc", ".pypirc", ".m2/settings.xml")),
    _Shape("credentials by name", ("credentials*", ".credentials*", "*[-_]credentials.json")),
    _Shape("secrets by name", ("secret.*", "secrets.*", ".secret", ".secrets", "client_secret*.json")),
    _Shape("keys of cloud accounts", ("*service[-_]account*.json", "*serviceaccount*.json", "*-adminsdk-*.json")),
    _Shape("settings of cloud clients", (".aws/", ".azure/", ".oci/", ".config/gcloud/", ".boto", ".s3cfg")),
    _Shape("keys and trust of SSH and GnuPG", (".ssh/", ".gnupg/")),
    _Shape("access to clusters", ("kubeconfig*", "*.kubeconfig", ".kube/config")),
    _Shape("log-ins of container registries", (".docker/config.json", ".dockercfg", ".dockerconfigjson")),
    _Shape("log-ins of code hosts", (".config/gh/hosts.yml", ".config/hub")),
    _Shape("state and variables of Terraform hold what was deployed", ("*.tfstate", "*.tfstate.backup", "*.tfvars")),
    _Shape("passwords of Vault", (".vault-token", ".vault_pass*")),
)

_HARMLESS = ("*.example", "*.sample", "*.template", "*.dist", "*.pub")
"""Forms to be filled in, and the public halves of keys."""


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)))


_PATTERNS = [pattern for shape in _SHAPES for pattern in shape.patterns]
_SECRET_NAME = _any(pattern for pattern in _PATTERNS if "/" not in pattern)
_SECRET_PATH = _any(
    f"*/{pattern}*" if pattern.endswith("/") else f"*/{pattern}" for pattern in _PATTERNS if "/" in pattern
)
_HARMLESS_NAME = _any(_HARMLESS)
_CODE = re.compile(
    r"\.?(credentials|secret).*"
    r"\.(pyi?|[mc]?[jt]sx?|go|rs|java|kt|rb|php|[ch](c|pp)?|cs|swift|scala|sh|html|css|vue|svelte|md|rst)"
)
"""`credentials.py` is a program about credentials, `secrets.go` one about secrets."""


def is_secret(relative: str) -> bool:
    """Whether this path (posix, relative to the workspace) has a secret's name; capitals make no difference."""
    path = relative.lower()
    name = path.rpartition("/")[2]
    if _HARMLESS_NAME.match(name):
        return False
    in_place = _SECRET_PATH.match(f"/{path}") is not None
    return in_place or (_SECRET_NAME.match(name) is not None and not _CODE.fullmatch(name))
