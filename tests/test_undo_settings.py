from __future__ import annotations

from pathlib import Path

import pytest
from kept_turns import Kept, commit, fill, git, there_and_back

TRAP = "echo x >> trapped; cat"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    fill(root)
    commit(root)
    return Kept(root, tmp_path / "state")


SETTINGS = ("core.autocrlf=true", "core.autocrlf=input", "core.eol=crlf", "core.safecrlf=true", "core.fileMode=false",
            "core.symlinks=false", "core.quotePath=true", "core.precomposeUnicode=true", "index.version=4",
            "core.splitIndex=true", "feature.manyFiles=true", "status.showUntrackedFiles=no", "core.trustctime=false",
            "core.checkStat=minimal", "safe.bareRepository=explicit", "submodule.recurse=true", "init.defaultBranch=x",
            "core.ignoreCase=true", "core.bigFileThreshold=1", "gc.auto=1", "core.preloadIndex=false")  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS)
def test_it_works_under_any_settings_of_the_persons_own(
    kept: Kept, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(Path.home(), "config", "--global", *setting.split("="))
    (kept.root / "link").symlink_to("a.py")
    there_and_back(kept)
    assert kept.told == []


def test_the_persons_own_rules_of_what_is_ignored_count(kept: Kept) -> None:
    rules = Path.home() / "ignored"
    rules.write_text("*.swp\n")
    git(Path.home(), "config", "--global", "core.excludesFile", "~/ignored")
    (kept.root / "x.swp").write_text("mine")
    kept.turn(kept.write("a.py", "x"), kept.shell("printf y > x.swp; printf z > y.swp"))
    assert [change.path for turn in kept.past.turns() for change in turn.changes] == ["a.py"]
    kept.past.undo()
    assert [(kept.root / name).read_text() for name in ("x.swp", "y.swp")] == ["y", "z"]


def test_the_persons_own_filters_do_not_run_either(kept: Kept, tmp_path: Path) -> None:
    (Path.home() / "attributes").write_text("* filter=t diff=t merge=t text\n")
    rows = {"core.attributesFile": "~/attributes", "filter.t.clean": TRAP, "filter.t.smudge": TRAP,
            "filter.t.required": "true", "diff.t.textconv": TRAP, "core.fsmonitor": TRAP}  # fmt: skip
    for name, value in rows.items():
        git(Path.home(), "config", "--global", name, value)
    there_and_back(kept)
    assert not list(tmp_path.rglob("trapped"))
