from __future__ import annotations

from pathlib import Path

import pytest

from qagent.sandbox.environment import environment

DROPPED = [
    "OPENAI_API_KEY", "API_KEY", "KEY", "STRIPEKEY", "GITHUB_TOKEN", "token", "NPM_CONFIG__AUTHTOKEN", "CLIENT_SECRET",
    "SECRETS", "DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD", "SMTP_PASSWD", "SMTP_PASS", "GPG_PASSPHRASE",
    "GOOGLE_APPLICATION_CREDENTIALS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "DOCKER_AUTH_CONFIG", "SSH_AUTH_SOCK", "GH_PAT", "SENTRY_DSN", "DATABASE_URL", "QAGENT_MODEL", "BASH_ENV",
    "BASH_FUNC_ls%%", "CDPATH", "SHELLOPTS", "GIT_DIR", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "RIPGREP_CONFIG_PATH",
    "LD_PRELOAD", "LESSOPEN", "LESSCLOSE", "TAR_OPTIONS", "PYTHONSTARTUP", "DB_PWD", "LDAP_BINDPW", "BINDPW", "ROOT_PW",
    "STRIPE_SK", "JWT", "MY_JWT", "BEARER", "SLACK_WEBHOOK_URL", "WEBHOOK", "AZURE_CONNECTION_STRING", "SSHPASS",
]  # fmt: skip
KEPT = [
    "HOME", "USER", "PWD", "OLDPWD", "LANG", "GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "LD_LIBRARY_PATH",
    "XAUTHORITY", "PYTHONPATH", "VIRTUAL_ENV", "KEYBOARD_LAYOUT", "PATTERN", "COMPASS", "HTTP_PROXY", "GOPATH",
    "NODE_OPTIONS",
]  # fmt: skip


def test_the_environment_loses_secrets_and_keeps_the_rest() -> None:
    made = environment(dict.fromkeys(DROPPED + KEPT, "x"))
    assert [name for name in DROPPED if name in made] == []
    assert [name for name in KEPT if made.get(name) != "x"] == []


@pytest.mark.parametrize("address", ["postgres://me:hush@h/db", "http://:x@proxy:80", "a https://u:p@h b"])
def test_an_address_with_a_password_is_a_secret_whatever_its_name(address: str) -> None:
    assert "X" not in environment({"X": address})
    assert environment({"X": "https://me@h:8080/a:b@c"})["X"]


def test_programs_are_looked_for_in_absolute_places_only() -> None:
    assert environment({"PATH": ".:/bin::bin:/usr/bin:"})["PATH"] == "/bin:/usr/bin"


def test_the_environment_has_no_pager_no_colours_and_no_prompts() -> None:
    made = environment({"PAGER": "less", "TERM": "xterm", "PATH": "/bin", "GIT_CONFIG_COUNT": "9"})
    assert {name: value for name, value in made.items() if not name.startswith("GIT_CONFIG_")} == {
        "PATH": "/bin",
        "GIT_OPTIONAL_LOCKS": "0",
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "AGENT": "qagent",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def test_variables_that_the_settings_name_are_left_out_whatever_they_are_called() -> None:
    made = environment({"HARMLESS": "x", "My_Own": "hush"}, secrets={"MY_OWN"})
    assert (made["HARMLESS"], "My_Own" in made) == ("x", False)


def test_temporary_files_and_caches_go_to_the_given_folder() -> None:
    made = environment({"TMPDIR": "/home/x/tmp", "GOCACHE": "/home/x/go"}, temporary=Path("/scratch"))
    assert {made[name] for name in ("TMPDIR", "TMP", "TEMP")} == {"/scratch"}
    assert made["GOCACHE"].startswith("/scratch/")


@pytest.mark.parametrize(("git", "setting"), [("settings", "core.hooksPath"), ("work", "branch.autoSetupMerge")])
def test_git_neither_runs_hooks_nor_writes_settings_where_it_must_not(git: str, setting: str) -> None:
    made = environment({}, git="settings" if git == "settings" else "work")
    keys = [made[f"GIT_CONFIG_KEY_{at}"] for at in range(int(made["GIT_CONFIG_COUNT"]))]
    assert keys[-1] == setting
    assert set(environment({}, git="no")) == set(environment({}))
