from __future__ import annotations

import contextlib
import os
import resource
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qagent.errors import ToolFailed, UsageProblem
from qagent.workspace.files import LARGEST, FileText, read_text, write_atomic
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
        ("..", "outside the repository"),
        ("../outside/secret.txt", "outside the repository"),
        ("src/../../outside/new.txt", "outside the repository"),
        ("/etc/passwd", "outside the repository"),
        ("~/.ssh/id_rsa", "outside the repository"),
        ("~root/x", "outside the repository"),
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
        ("../outside", "link/secret.txt", "outside the repository"),
        ("../outside", "link/not/there/yet.txt", "outside the repository"),
        ("../outside/secret.txt", "link", "outside the repository"),
        ("../outside/new.txt", "link", "outside the repository"),
        ("/etc", "link/passwd", "outside the repository"),
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


# ------------------------------------------------------------------ reading and writing


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"", FileText("")),
        (b"a\r\nb\rc\n", FileText("a\r\nb\rc\n")),
        (b"\xef\xbb\xbfa\n", FileText("a\n", bom=True)),
        ("straße\u2028x\x0c".encode(), FileText("straße\u2028x\x0c")),
    ],
)
def test_a_text_comes_back_byte_for_byte(tmp_path: Path, data: bytes, read: FileText) -> None:
    (tmp_path / "a").write_bytes(data)
    assert read_text(tmp_path / "a") == read
    assert read.data == data


@given(st.binary(max_size=40))
def test_bytes_are_either_refused_or_come_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    write_atomic(path, data)
    assert path.read_bytes() == data
    with contextlib.suppress(ToolFailed):
        assert read_text(path).data == data


@pytest.mark.parametrize("data", [b"caf\xe9", b"a\0b", "a".encode("utf-16")])
def test_what_is_not_utf8_text_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ToolFailed, match="not UTF-8 text"):
        read_text(tmp_path / "a")


def test_a_folder_a_huge_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="list_files"):
        read_text(tmp_path)
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ToolFailed, match="use search"):
        read_text(tmp_path / "huge")
    with pytest.raises(ToolFailed, match="cannot be read"):
        read_text(tmp_path / "missing")


def test_half_a_surrogate_pair_cannot_be_written() -> None:
    with pytest.raises(ToolFailed, match="surrogate"):
        _ = FileText("\ud800").data


def test_a_new_file_gets_its_folders_and_the_rights_of_the_umask(tmp_path: Path) -> None:
    write_atomic(tmp_path / "x" / "y" / "a", b"1")
    plain = tmp_path / "plain"
    plain.touch()
    assert (tmp_path / "x/y/a").read_bytes() == b"1"
    assert (tmp_path / "x/y/a").stat().st_mode == plain.stat().st_mode


def test_the_permission_bits_stay(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_bytes(b"1")
    path.chmod(0o751)
    write_atomic(path, b"22")
    assert stat.S_IMODE(path.stat().st_mode) == 0o751


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"1")
    (tmp_path / "link").symlink_to("target")
    write_atomic(tmp_path / "link", b"2")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"2"


def test_python_does_not_run_old_code_after_an_edit_of_the_same_size(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"x = 1\n")
    os.utime(path, (2_000_000_000, 2_000_000_000))
    seconds = [int(path.stat().st_mtime)]
    for data in (b"x = 2\n", b"x = 33\n", b"x = 4\n"):
        write_atomic(path, data)
        seconds.append(int(path.stat().st_mtime))
    assert seconds == sorted(set(seconds))


def test_a_file_that_is_read_only_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    path.chmod(0o444)
    with pytest.raises(ToolFailed, match="read-only"):
        write_atomic(path, b"2")
    assert path.read_bytes() == b"1"


@pytest.fixture
def small_disk() -> Iterator[None]:
    """The system refuses to make any file longer than a few bytes, as on a full disk."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.usefixtures("small_disk")
def test_a_write_that_fails_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ToolFailed, match="nothing was changed"):
        write_atomic(tmp_path / "a", b"x" * 1_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["file/below", "folder", "n" * 300])
def test_where_no_file_can_be_nothing_is_left_behind(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ToolFailed, match="cannot be written"):
        write_atomic(tmp_path / name, b"2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(ToolFailed, match="cannot be written"):
        write_atomic(tmp_path / "a", b"1")
    assert list(tmp_path.iterdir()) == []
