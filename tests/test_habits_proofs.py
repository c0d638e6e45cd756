from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.habits.proofs import Proof, proof, shows_green

PROVES = (
    "pytest",
    "pytest -q",
    ".venv/bin/pytest -q tests",
    "python3 -m unittest -q",
    "python3 -S test_labels.py",
    "python -m pytest tests/test_a.py::test_b -x",
    "cd src && pytest",
    "X=1 pytest",
    "uv run pytest",
    "timeout 60 pytest -x",
    "make test",
    "make check",
    "go test ./...",
    "cargo test",
    "npm test",
    "npm run test:unit",
    "npx jest",
    "yarn test",
    "mvn -q test",
    "./gradlew test",
    "ctest --output-on-failure",
    "dotnet test",
    'bash -c "cd x && pytest"',
    "python3 -m unittest 2>&1 | tail -3",
    "pytest | tee log",
    "pytest; echo done",
    "pytest || exit 1",
    "set -e; pytest",
    "python3 calc.py",
    "./check.sh",
    "bash scripts/test.sh",
    "node x.js",
    'python3 -c "import calc; assert calc.add(2,3)==5"',
    "python3 - <<'EOF'\nimport calc\nassert calc.add(1, 2) == 3\nEOF",
    "scripts/run_tests",
    "ruff check .",
    "mypy src",
    "make",
    "cargo build",
    "tsc --noEmit",
    "pytest -q 2>/dev/null",
    "python3 -m unittest -v test_calc && echo ok",
    "coverage run -m pytest",
    "python -m mypackage",
    "(cd src && pytest)",
    "source venv/bin/activate && pytest",
    "pytest && git commit -m 'x; y'",
)
PROVES_NOTHING = (
    "mkdir -p build",
    "touch x",
    "true",
    "python3 --version",
    "which python3",
    "python3 -m unittest -q 2>/dev/null || true",
    "pytest; true",
    "pytest || :",
    "pytest || echo failed",
    "pytest >/dev/null 2>&1; echo $?",
    "pytest --version",
    "pytest --collect-only",
    "! pytest",
    "pytest &",
    "pytest | wc -l",
    "python3 test.py; echo $?",
    "python3 test.py | tail",
    "echo pytest",
    'echo "; pytest"',
    'git commit -m "run pytest && pytest"',
    "pip install pytest",
    ".venv/bin/pip install -e .",
    "/bin/ls",
    "cat tests/test_a.py",
    "cp a/b c/d",
    "make -n test",
    "python3 -m venv v",
    "python3 -m pip install x",
    "grep -rn pytest .",
    'python3 -c "print(1)"',
    "git stash; true",
    "foo check",
    "sed -n 1,5p a/b.py",
    "ls src/x.py",
    "",
    "pytest" + " x" * 4_000,
)


@pytest.mark.parametrize("line", PROVES)
def test_a_runner_a_program_and_a_checker_prove_something(line: str) -> None:
    assert proof(line)


@pytest.mark.parametrize("line", PROVES_NOTHING)
def test_what_only_ends_well_or_hides_how_it_ended_proves_nothing(line: str) -> None:
    assert proof(line) is None


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pytest -q", Proof("tests")),
        ("cd a && npx jest --ci", Proof("tests")),
        ("pytest | tail -3", Proof("tests", masked=True)),
        ("ruff check . && pytest", Proof("tests")),
        ("python3 calc.py", Proof("program")),
        ("mypy src", Proof("check")),
        ("npm run build", Proof("check")),
    ],
)
def test_what_is_proven_and_whose_exit_code_was_told(line: str, found: Proof) -> None:
    assert proof(line) == found


def test_a_command_that_the_person_named_proves_what_it_was_named_for() -> None:
    assert proof("foo check", ["Fix it until `foo check` is content."]) == Proof("told")
    assert proof("foo check; echo x", ["Fix it until `foo check` is content."]) is None
    assert proof("foo", ["Fix food."]) is None
    assert proof("touch x", ["Run touch x."]) is None


@pytest.mark.parametrize(
    ("text", "green"),
    [
        ("3 passed in 0.1s", True),
        ("Ran 2 tests\n\nOK", True),
        ("ok  \tpkg\t0.1s", True),
        ("", False),
        ("exit 0", False),
    ],
)
def test_an_output_may_say_that_it_went_well(text: str, green: bool) -> None:
    assert shows_green(text) is green


@given(
    st.text() | st.lists(st.sampled_from(["pytest", " ", "|", "&", ";", "'", '"', "<<E\n", "\nE", "-m "])).map("".join)
)
def test_any_line_is_read(line: str) -> None:
    assert proof(line) is None or isinstance(proof(line), Proof)


@pytest.mark.parametrize("piece", ["a=b ", "env ", "-m ", "'", "<<E\n", "npx ", "python -u ", "make -j "])
def test_a_long_line_is_read_once(piece: str) -> None:
    proof((piece * 4_000)[:4_000])
