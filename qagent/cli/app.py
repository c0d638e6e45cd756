"""The commands and their options. Each turns options into one call; imports wait until they are needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from qagent.cli.ends import Ended

app = typer.Typer(
    name="qagent",
    help="The coding agent for Qwen 2.5 Coder: in your terminal, in your repository, on your machine.",
    epilog='Start with `qagent demo`, then `qagent -p "fix the failing test"`, or `qagent` for a conversation.',
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ModeName = Literal["plan", "ask", "accept-edits", "auto"]
FormatName = Literal["text", "json", "stream-json"]
Folder = Annotated[Path, typer.Option("-C", "--cwd", help="Work in this folder.")]


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    prompt: Annotated[str | None, typer.Option("-p", "--prompt", help="Do one task and end. stdin is added.")] = None,
    model: Annotated[str | None, typer.Option("-m", "--model", help="As in `qwen2.5-coder:7b`.")] = None,
    cwd: Folder = Path(),
    mode: Annotated[
        ModeName | None, typer.Option(help="What needs no asking; `ask`, and `accept-edits` with -p.")
    ] = None,
    yolo: Annotated[bool, typer.Option("--yolo", help="The same as --mode auto.")] = False,
    max_turns: Annotated[int | None, typer.Option(help="The most replies a task may take.")] = None,
    timeout: Annotated[str | None, typer.Option(help="The longest a task may take: 90s, 15m, 2h.")] = None,
    output_format: Annotated[FormatName, typer.Option(help="What goes to stdout.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --output-format json.")] = False,
    continued: Annotated[bool, typer.Option("-c", "--continue", help="Go on with this folder's last session.")] = False,
    resume: Annotated[str | None, typer.Option("-r", "--resume", metavar="ID", help="Go on with that session.")] = None,
    server: Annotated[Literal["ollama", "llamacpp"] | None, typer.Option(help="What kind of server answers.")] = None,
    host: Annotated[str | None, typer.Option(help="The server's address; OLLAMA_HOST without it.")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set any setting.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Trust this folder's .qagent/ as it is now.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask, do not read stdin.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Nothing on stderr but errors.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Results and token counts on stderr.")] = False,
    version: Annotated[bool, typer.Option("--version", "-V", help="The version.")] = False,
) -> None:
    if version:
        from qagent import __version__

        print(f"qagent {__version__}")
        return
    if context.invoked_subcommand is not None:
        return
    from qagent.cli.once import Resume, once
    from qagent.cli.start import Options

    flags: dict[str, object] = {
        "model": model,
        "mode": "auto" if yolo else mode,
        "max_turns": max_turns,
        "timeout": timeout,
        "server": server,
        "host": host,
    }
    options = Options(cwd, flags, tuple(sets or ()), trust, no_input, quiet, verbose)
    resumed = Resume(continued, resume)
    if prompt is not None:
        raise Ended(once(prompt, options, "json" if as_json else output_format, resumed))
    from qagent.cli.talk import talk

    raise Ended(talk(options, resumed))


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the sample repository where it is.")] = False,
    mode: Annotated[ModeName, typer.Option(help="With `plan` nothing may be edited, and the demo must fail.")] = "auto",
) -> None:
    """Show a whole run on a sample repository, with a scripted model: no server, no network."""
    from qagent.cli.demonstrate import demonstrate

    raise Ended(demonstrate(keep=keep, mode=mode))


sessions = typer.Typer(help="List, show, export and delete saved sessions.", rich_markup_mode=None)
app.add_typer(sessions, name="sessions", invoke_without_command=True)


@sessions.callback(invoke_without_command=True)
def sessions_root(context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    if context.invoked_subcommand is None:
        sessions_list(as_json=as_json)


@sessions.command("list")
def sessions_list(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """All sessions, the newest first."""
    from qagent.cli.history import list_sessions

    list_sessions(as_json=as_json)


@sessions.command("show")
def sessions_show(session: str, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """One session, readable; with --json its entries, one a line."""
    from qagent.cli.history import show_session

    show_session(session, as_json=as_json)


@sessions.command("export")
def sessions_export(
    session: str,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file; stdout without it.")] = None,
) -> None:
    """One session as Markdown."""
    from qagent.cli.history import export_session

    export_session(session, output)


@sessions.command("delete")
def sessions_delete(session: str) -> None:
    """Delete one session from the disk."""
    from qagent.cli.history import delete_session

    delete_session(session)


debug = typer.Typer(help="Replay one reply, one edit, one prompt.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(debug, name="debug")


@debug.command("parse")
def debug_parse(
    file: Annotated[Path | None, typer.Argument(help="A reply as the model wrote it; stdin without it.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="JSON Lines in, JSON Lines out.")] = False,
) -> None:
    """Which calls are in a reply, and what is said around them."""
    from qagent.cli import replay

    if jsonl:
        replay.parse_lines(sys.stdin.buffer)
    else:
        replay.parse_one(file.read_bytes() if file else sys.stdin.buffer.read())


@debug.command("edit")
def debug_edit(
    jsonl: Annotated[bool, typer.Option("--jsonl", help="JSON Lines in, JSON Lines out (the only form).")] = True,
) -> None:
    """What an edit makes of a text."""
    from qagent.cli import replay

    replay.edit_lines(sys.stdin.buffer)


@debug.command("prompt")
def debug_prompt(
    task: Annotated[str, typer.Argument(help="The task to render.")] = "Fix the failing test.",
    cwd: Folder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="With token estimate and the tools' schemas.")] = False,
) -> None:
    """The exact first prompt that the model would get here."""
    from qagent.cli import replay

    replay.first_prompt(task, cwd, as_json=as_json)
