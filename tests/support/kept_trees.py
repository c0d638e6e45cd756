"""Two work trees with some of everything in them, links and odd modes included: a plain folder, and a repository."""

from __future__ import annotations

from pathlib import Path

from kept_turns import Kept, git

FILES = {"a.py": b"one\r\ntwo\n", "sub/b.txt": b"b", "sub/deep/c.bin": b"\0\xff", "keep.md": b"# keep\n"}


def without_git(folder: Path) -> Kept:
    root = folder / "work"
    root.mkdir()
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "sub/b.txt").chmod(0o600)
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("a.py")
    (root / "dangling").symlink_to("nowhere/at all")
    return Kept(root, folder / "state")


def in_repository(folder: Path) -> Kept:
    """With everything committed but what a rule ignores."""
    kept = without_git(folder)
    git(kept.root, "init", "-q", "-b", "main")
    (kept.root / ".gitignore").write_text("*.log\nbuild/\n")
    git(kept.root, "add", "-A")
    git(kept.root, "commit", "-q", "-m", "start")
    return kept
