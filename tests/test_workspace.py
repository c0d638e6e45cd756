from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.errors import ToolFailed, UsageProblem
from qagent.workspace.names import shown
from qagent.workspace.place import Purpose, Workspace, nearest
from qagent.workspace.secrets import is_secret


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    root = tmp_path / "project"
    (root / "src" / "deep").mkdir(parents=True)
    (root / "src" / "a.py").write_text("a\n")
    (root / "src" / "deep" / "cart.py").write_text("c\n")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("")
    (root / ".github").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("s\n")
    return Workspace.open(root)


# ------------------------------------------------------------------ where a path leads


@pytest.mark.parametrize(
    ("path", "relative"),
    [
        ("src/a.py", "src/a.py"),
        ("./src/a.py", "src/a.py"),
        ("src//deep/../a.py", "src/a.py"),
        (".", "."),
        ("src", "src"),
        (".github", ".github"),
    ],
)
def test_a_path_inside_is_found(place: Workspace, path: str, relative: str) -> None:
    assert place.relative(place.resolve(path, "read")) == relative
    assert place.touches(path) == relative


def test_an_absolute_path_inside_is_fine(place: Workspace) -> None:
    assert place.resolve(str(place.root / "src/a.py"), "read") == place.root / "src/a.py"


def test_an_absolute_path_by_the_name_that_the_root_was_opened_with_is_fine(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(place.root)
    assert Workspace.open(tmp_path / "alias") == place
    assert place.resolve(str(tmp_path / "alias/src/a.py"), "read") == place.root / "src/a.py"


@pytest.mark.parametrize("purpose", ["read", "write"])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("src/\0a.py", "control characters"),
        ("src/a\n.py", "control characters"),
        ("src/\ud800", "control characters"),
        ("..", "outside this folder"),
        ("../outside/secret.txt", "outside this folder"),
        ("src/../../outside/new.txt", "outside this folder"),
        ("/etc/passwd", "^/etc/passwd is outside this folder"),
        ("~/.ssh/id_rsa", "outside this folder"),
        ("~root/x", "outside this folder"),
        (".git/config", "git's own files"),
        (".git", "git's own files"),
        (".GIT/config", "git's own files"),
        ("src/.Git/hooks/pre-commit", "git's own files"),
        (".g\u200cit/config", "git's own files"),
        ("src/../.git/config", "git's own files"),
        ("src/a.py/b.py", "a part of it is a file"),
        ("x" * 300, "too long"),
        ("x/" * 2_000, "too long"),
    ],
)
def test_other_paths_are_refused_with_the_reason(place: Workspace, path: str, reason: str, purpose: Purpose) -> None:
    with pytest.raises(ToolFailed, match=reason) as refused:
        place.resolve(path, purpose)
    assert refused.value.text.encode()


@pytest.mark.parametrize("purpose", ["read", "write"])
@pytest.mark.parametrize(
    ("target", "path", "reason"),
    [
        ("../outside", "link/secret.txt", "leads by a link to what is outside this folder"),
        ("../outside", "link/not/there/yet.txt", "leads by a link to what is outside this folder"),
        ("../outside/secret.txt", "link", "leads by a link to what is outside this folder"),
        ("../outside/new.txt", "link", "leads by a link to what is outside this folder"),
        ("/etc", "link/passwd", "leads by a link to what is outside this folder"),
        (".git", "link/config", "git's own files"),
        (".git/config", "link", "git's own files"),
    ],
)
def test_links_are_followed_before_it_is_decided(
    place: Workspace, target: str, path: str, reason: str, purpose: Purpose
) -> None:
    (place.root / "link").symlink_to(target)
    with pytest.raises(ToolFailed, match=reason):
        place.resolve(path, purpose)


def test_a_ring_of_links_is_refused(place: Workspace) -> None:
    (place.root / "one").symlink_to("two")
    (place.root / "two").symlink_to("one")
    with pytest.raises(ToolFailed):
        place.resolve("one", "read")


def test_a_link_inside_leads_to_its_target(place: Workspace) -> None:
    (place.root / "x").symlink_to(".env")
    (place.root / "code").symlink_to("src")
    assert place.touches("x") == ".env"
    assert place.touches("code/a.py") == "src/a.py"
    assert place.touches("code/new/b.py") == "src/new/b.py"
    assert place.resolve("x", "write") == place.root / ".env"


@pytest.mark.parametrize("path", ["", "../outside", "/etc/passwd", "~", "a\0b"])
def test_what_cannot_be_resolved_touches_nothing(place: Workspace, path: str) -> None:
    assert place.touches(path) is None


@pytest.mark.parametrize("purpose", ["read", "write"])
def test_pipes_and_sockets_are_refused(place: Workspace, purpose: Purpose, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(place.root / "pipe")
    monkeypatch.chdir(place.root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for name in ("pipe", "socket"):
            with pytest.raises(ToolFailed, match="not a plain file"):
                place.resolve(name, purpose)


def test_a_new_file_may_be_written_also_in_a_new_folder(place: Workspace) -> None:
    assert place.resolve("new/b.py", "write") == place.root / "new/b.py"


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        ("cart.py", "src/deep/cart.py"),
        ("src/deep/Cart.py", "src/deep/cart.py"),
        ("src/deep/carts.py", "src/deep/cart.py"),
    ],
)
def test_a_missing_file_is_answered_with_names_like_it(place: Workspace, path: str, offered: str) -> None:
    with pytest.raises(ToolFailed, match="there is no file") as refused:
        place.resolve(path, "read")
    assert offered in refused.value.text


def test_a_missing_file_like_no_other_is_answered_with_list_files(place: Workspace) -> None:
    with pytest.raises(ToolFailed, match="list_files"):
        place.resolve("qqqqqq.zz", "read")


def test_names_like_a_missing_one_are_looked_for_in_a_part_of_a_huge_tree(place: Workspace) -> None:
    for number in range(2_000):
        (place.root / f"n{number:04}").touch()
    with pytest.raises(ToolFailed, match="list_files"):
        place.resolve("elsewhere/cart.py", "read")


def test_names_like_a_missing_one_are_not_looked_for_among_a_mass_of_rules(place: Workspace) -> None:
    (place.root / ".gitignore").write_text("".join(f"x{number}*y\n" for number in range(100_000)))
    with pytest.raises(ToolFailed, match="list_files"):
        place.resolve("cart.py", "read")


def test_long_names_are_the_same_or_not_alike() -> None:
    assert nearest("a/" + "b" * 1_000, ["b" * 999, "c/" + "b" * 1_000]) == ["c/" + "b" * 1_000]


def test_the_nearest_names_begin_with_the_same_name_elsewhere() -> None:
    assert nearest("app/main.py", ["main.c", "src/main.py", "app/mainx.py"])[0] == "src/main.py"


def test_git_is_seen_also_from_below(place: Workspace, tmp_path: Path) -> None:
    assert place.is_git
    assert Workspace.open(place.root / "src").is_git
    assert not Workspace.open(tmp_path / "outside").is_git


@pytest.mark.parametrize("name", ["missing", "project/src/a.py", "project/src/a.py/x", "bad\0name"])
def test_only_a_folder_can_be_opened(place: Workspace, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageProblem):
        Workspace.open(tmp_path / name)


@settings(max_examples=200)
@given(st.text() | st.lists(st.sampled_from(["..", ".", "/", "src", ".git", "a.py", "~", "\0", " "])).map("/".join))
def test_no_path_leads_outside(path: str) -> None:
    place = Workspace(Path("/nowhere/at all"))
    touched = place.touches(path)
    assert touched is None or (place.root / touched).resolve().is_relative_to(place.root)
    with contextlib.suppress(ToolFailed):
        assert place.resolve(path, "write").is_relative_to(place.root)


@given(st.text(st.characters(exclude_categories=[])))
def test_any_name_can_be_shown(name: str) -> None:
    assert shown(name).isprintable()
    assert shown(name).encode().decode() == shown(name)


# ------------------------------------------------------------------ secrets


SECRET = (
    *(".env", ".env.local", ".ENV", "app/.env.production", ".envrc", "prod.env", "id_rsa", "keys/id_ed25519", "a.pem"),
    *("server.KEY", "a.p12", "a.pfx", "x.keystore", "x.jks", ".netrc", ".pgpass", ".npmrc", "sub/.pypirc", ".htpasswd"),
    *(".git-credentials", "credentials", "credentials.json", "credentials.toml", "credentials_prod", "secrets.yml"),
    *("secrets.yaml", "config/secrets.json", "secrets.toml", "my-service-account-key.json", "service_account.json"),
    *(
        ".aws/config",
        "home/.ssh/known_hosts",
        ".gnupg/pubring.kbx",
        "kubeconfig",
        ".kube/config",
        ".docker/config.json",
    ),
    *("demo-firebase-adminsdk-x1.json", "terraform.tfstate", "client_secret_12.json", ".m2/settings.xml", "db.kdbx"),
)
HARMLESS = (
    *(
        ".env.example",
        ".env.sample",
        ".env.template",
        ".env.dist",
        ".ENV.EXAMPLE",
        "id_rsa.pub",
        "env.py",
        "src/env.d.ts",
    ),
    *(
        "environment.yml",
        "keys.py",
        "credentials.py",
        "src/credentials.go",
        "secrets.py",
        "docs/secrets.md",
        "config.json",
    ),
    *("docker/config.json", "aws/config", "monkey", "key.txt", "ssh.py", "settings.xml", "package.json", "README.md"),
    *("credentials.example", "secrets.toml.example", ".sshx/known"),
)


@pytest.mark.parametrize("path", SECRET)
def test_it_looks_like_a_secret(path: str) -> None:
    assert is_secret(path)


@pytest.mark.parametrize("path", HARMLESS)
def test_it_does_not_look_like_a_secret(path: str) -> None:
    assert not is_secret(path)
