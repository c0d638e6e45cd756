"""Running git's plumbing, and where a repository keeps what: a folder in, a Repository out, or the reason why not.

A repository that came from elsewhere brings settings, hooks and attributes along, and each is a way to run a program.
So git is asked in two ways. In the repository itself: only for what it is, and to move a ref of our own, with hooks and
the file monitor off. For all else it gets a git folder of our own, in which no foreign setting stands: of the
repository it then has the work tree and the store of objects, and nothing more.

GitPython is the runner, and is loaded when git is first needed, not before. Everything here blocks: run it in a thread.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qagent.workspace.disk import read_plain

if TYPE_CHECKING:
    from git.cmd import Git

SECONDS = 60.0
"""After so long git is ended: a tree with millions of files that nobody wants to keep."""

_QUIET = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "safe.bareRepository=explicit", "core.pager=cat")
_ASKED = r"^core\.(autocrlf|attributesfile|excludesfile|sharedrepository|ignorecase|precomposeunicode)$"
_TAKEN_OVER = ("core.sharedrepository", "core.ignorecase", "core.precomposeunicode")
"""Settings that our own git folder takes over: who may use what is written, and how the disk spells names."""
_FORMAT = "[core]\n\trepositoryformatversion = {version}\n\tbare = false\n\tlogAllRefUpdates = false\n"
_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_EXEC_PATH", "GIT_PYTHON_")
"""Variables of git's that are the person's own settings."""

_LONGEST_RULES = 1_000_000
_ONE_IMPORT = threading.Lock()
_NO_ADVICE = "advice.addEmbeddedRepo=false"


class GitRefusedError(Exception):
    """`why` is for the person, without a full stop."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoRepositoryError(GitRefusedError):
    pass


@dataclass(frozen=True, slots=True)
class Repository:
    """Absolute paths; `git` is the program. converts: whether git may store other bytes than stand in a file.

    exclude: the repository's own ignore rules; excludes: the person's; either may be missing. taken_over: settings as
    `git -c` takes them.
    """

    git: str
    top: Path
    folder: Path
    objects: Path
    index: Path
    exclude: Path
    excludes: Path
    id_size: int
    converts: bool
    taken_over: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plumbing:
    """Git with a folder of our own, `own`, over the repository's work tree and objects. Raises GitRefusedError."""

    repository: Repository
    own: Path

    def run(self, *words: str, index: Path | None = None, feed: bytes = b"", fine: Sequence[int] = (0,)) -> bytes:
        there = self.repository
        env = {
            "GIT_DIR": str(self.own),
            "GIT_WORK_TREE": str(there.top),
            "GIT_OBJECT_DIRECTORY": str(there.objects),
            "GIT_INDEX_FILE": str(index or self.own / "index"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "XDG_CONFIG_HOME": str(self.own),
            "HOME": str(self.own),
        }
        settings = (*there.taken_over, f"core.excludesFile={there.excludes}", _NO_ADVICE)
        return run_git(there.git, (*_given(settings), *words), there.top, env, feed, fine)

    def refs(self, below: str) -> list[str]:
        """The names of the refs below, `refs/…`, in the repository itself."""
        return os.fsdecode(self._in_itself("for-each-ref", "--format=%(refname)", below)).split()

    def heads(self) -> bytes:
        """Where HEAD and the newest stash are; equal bytes mean that neither has moved."""
        told = self._in_itself("show-ref", "--head", "HEAD", "refs/stash", fine=(0, 1))
        return told + _text_of(self.repository.folder / "HEAD").encode("utf-8", "surrogateescape")

    def move_refs(self, lines: Sequence[str]) -> None:
        """`git update-ref --stdin`, in the repository itself; all of them or none."""
        try:
            self._in_itself("update-ref", "--no-deref", "--stdin", feed="".join(lines).encode())
        except GitRefusedError as refusal:
            raise GitRefusedError("git cannot write its refs in this repository") from refusal

    def _in_itself(self, *words: str, feed: bytes = b"", fine: Sequence[int] = (0,)) -> bytes:
        folder = self.repository.folder
        return run_git(self.repository.git, ("--git-dir", str(folder), *_settings(), *words), folder, {}, feed, fine)

    def prepare(self) -> None:
        """Makes our own git folder. Its text is ours: what lay there is written over. Raises OSError."""
        for name in ("objects", "refs", "info"):
            (self.own / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        long = self.repository.id_size == 32
        text = _FORMAT.format(version=1 if long else 0) + ("[extensions]\n\tobjectFormat = sha256\n" if long else "")
        _put(self.own / "config", text)
        _put(self.own / "HEAD", "ref: refs/heads/none\n")
        _put(self.own / "info" / "exclude", _text_of(self.repository.exclude))
        _put(self.own / "info" / "attributes", "* -text !filter !ident !working-tree-encoding !eol !crlf\n")


def _put(path: Path, text: str) -> None:
    """In one step: another qagent may be reading it."""
    data = os.fsencode(text)
    if path.is_file() and path.read_bytes() == data:
        return
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    Path(name).replace(path)


def _text_of(path: Path) -> str:
    try:
        return os.fsdecode(read_plain(path, _LONGEST_RULES))
    except OSError:
        return ""


def repository_at(root: Path) -> Repository:
    """The repository whose work tree the folder belongs to. Raises GitRefusedError."""
    if not any(os.path.lexists(folder / ".git") for folder in (root, *root.parents)):
        raise NoRepositoryError("this is not a git repository")
    git = program()
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(_settings_of, git, root)
        told = _asked_for_places(git, root)
        settings = asked.result()
    top, folder, objects, index, exclude = (Path(os.fsdecode(line)) for line in told[:5])
    if not (root.is_relative_to(top) and os.path.lexists(top / ".git")):
        raise GitRefusedError("the repository's settings name another folder as its work tree")
    if told[5] not in (b"sha1", b"sha256"):
        raise GitRefusedError("the repository counts its objects in a way that is not known here")
    return Repository(
        git, top, folder, objects, index, exclude, _own_excludes(settings),
        id_size=20 if told[5] == b"sha1" else 32,
        converts=_may_convert(settings, exclude.with_name("attributes")),
        taken_over=tuple(f"{key}={settings[key]}" for key in _TAKEN_OVER if settings.get(key, "").isalnum()),
    )  # fmt: skip


def _asked_for_places(git: str, root: Path) -> list[bytes]:
    paths = ("--git-path", "objects", "--git-path", "index", "--git-path", "info/exclude")
    words = ("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", *paths, "--show-object-format")
    told = run_git(git, (*_settings(), *words), root, {}).removesuffix(b"\n").split(b"\n")
    if len(told) != 6:
        raise GitRefusedError("git does not tell where the repository keeps its things")
    return told


def _settings_of(git: str, root: Path) -> dict[str, str]:
    """Those few settings that matter, the last of each."""
    words = (*_settings(), "config", "-z", "--get-regexp", _ASKED)
    pairs = os.fsdecode(run_git(git, words, root, {}, fine=(0, 1))).split("\0")
    return {key: value for key, _, value in (pair.partition("\n") for pair in pairs)}


def _own_excludes(settings: Mapping[str, str]) -> Path:
    given = settings.get("core.excludesfile")
    return Path(given).expanduser() if given else _config_home() / "git" / "ignore"


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()


def _may_convert(settings: Mapping[str, str], attributes: Path) -> bool:
    """Attributes in the tree itself are not looked for here."""
    elsewhere = (attributes, _config_home() / "git" / "attributes", Path("/etc/gitattributes"))
    turned_on = settings.get("core.autocrlf", "false").lower() not in ("false", "0", "no", "off")
    return turned_on or "core.attributesfile" in settings or any(path.exists() for path in elsewhere)


def _settings() -> tuple[str, ...]:
    return _given(_QUIET)


def _given(settings: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for setting in settings for word in ("-c", setting))


# ------------------------------------------------------------------ the program


def program() -> str:
    """Git's absolute path; a `.` on the PATH would let the work tree bring its own. Raises GitRefusedError."""
    if found := shutil.which("git", path=_path()):
        return found
    raise GitRefusedError("git is not installed")


def _path() -> str:
    given = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in given if Path(folder).is_absolute())


def run_git(
    git: str, words: Sequence[str], at: Path, env: Mapping[str, str], feed: bytes = b"", fine: Sequence[int] = (0,)
) -> bytes:
    """What git prints. Raises GitRefusedError with its first line of complaint."""
    runner = _runner(git)
    from git.exc import GitError

    calm = {"PATH": _path(), "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1"}
    try:
        with tempfile.TemporaryFile() as source:
            source.write(feed)
            source.seek(0)
            code, out, err = runner(at).execute(
                [*_without_gits_own(), git, *words],
                istream=source,
                env={**calm, **env},
                shell=False,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=SECONDS,
            )
    except (OSError, GitError) as error:
        raise GitRefusedError("git cannot be run") from error
    if code not in fine:
        raise GitRefusedError(_complaint(words, err))
    return out


def _runner(git: str) -> type[Git]:
    """GitPython's. While it is imported it looks for git itself: there, and nowhere else on the PATH. It cannot be
    imported by two threads at once."""
    with _ONE_IMPORT:
        if "git" not in sys.modules:
            _import(git)
        from git.cmd import Git

    return Git


def _import(git: str) -> None:
    name = "GIT_PYTHON_GIT_EXECUTABLE"
    before = os.environ.get(name)
    os.environ[name] = git
    try:
        importlib.import_module("git")
    except ImportError as error:
        raise GitRefusedError("git cannot be run") from error
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _without_gits_own() -> tuple[str, ...]:
    """Whoever starts qagent from a hook of git's leaves it variables that name another repository, or another index."""
    names = [name for name in os.environ if name.startswith("GIT_") and not name.startswith(_KEPT)]
    return ("/usr/bin/env", *(word for name in names for word in ("-u", name))) if names else ()


def _complaint(words: Sequence[str], told: str) -> str:
    """The line that says what is wrong; git's advice stands behind it."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    line = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "it failed")
    verb = next((word for word in words if word[:1].isalpha() and "=" not in word), "")
    if "dubious ownership" in line:
        return "git does not trust this repository, because somebody else owns it (`git config safe.directory`)"
    if "must be run in a work tree" in line:
        return "the repository is bare: it has no work tree"
    return f"`git {verb}` says: {line.partition(':')[2].strip() or line}"
