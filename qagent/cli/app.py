"""The commands and their options. Each turns options into one call; imports wait until they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qagent.cli.ends import Ended
from qagent.errors import UsageProblem

if TYPE_CHECKING:
    from qagent.cli.start import Options, Resume

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
AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]
SessionId = Annotated[str, typer.Argument(metavar="ID", help="A session's ID; its beginning is enough.")]
Everything = Annotated[bool, typer.Option("--all", help="Also the older ones.")]
Server = Annotated[
    str | None,
    typer.Option(
        metavar="[ollama|llamacpp|openai]",
        help="What kind of server answers; openai: vLLM, LM Studio, any that speaks so.",
    ),
]
Host = Annotated[
    str | None,
    typer.Option(help="The server's address; without it OLLAMA_HOST, or OPENAI_BASE_URL with --server openai."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a setting of config.toml (see README); no tables."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Nothing on stderr but errors.")]
Folder = Annotated[Path, typer.Option("-C", "--cwd", help="Work in this folder.")]


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    prompt: Annotated[str | None, typer.Option("-p", "--prompt", help="Do one task and end. stdin is added.")] = None,
    model: Annotated[
        str | None,
        typer.Option("-m", "--model", help="The model; without it the largest Qwen 2.5 Coder for this memory."),
    ] = None,
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
    server: Server = None,
    host: Host = None,
    sets: Sets = None,
    trust: Annotated[bool, typer.Option("--trust", help="Trust this folder's .qagent/ as it is now.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask, do not read stdin.")] = False,
    quiet: Quiet = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Results and token counts on stderr.")] = False,
    version: Annotated[bool, typer.Option("--version", "-V", help="The version.")] = False,
) -> None:
    if version:
        from qagent import __version__

        print(f"qagent {__version__}")
        return
    flags: dict[str, object] = {
        "model": model,
        "mode": "auto" if yolo else mode,
        "max_turns": max_turns,
        "timeout": timeout,
        "server": server,
        "host": host,
    }
    given = [*flags.values(), prompt, resume]
    switches = (as_json, continued, sets, trust, no_input, quiet, verbose, cwd != Path(), output_format != "text")
    typed = any(value is not None for value in given) or any(switches)
    if context.invoked_subcommand is not None:
        if typed:
            raise UsageProblem(f"options of `{context.invoked_subcommand}` stand behind it, not before it")
        return
    if yolo and mode not in (None, "auto"):
        raise UsageProblem(f"--yolo means --mode auto, and --mode {mode} was given too")
    if continued and resume is not None:
        raise UsageProblem("-c goes on with the last session, and -r with another: give one of them")
    from qagent.cli.start import Options, Resume

    options = Options(cwd, flags, tuple(sets or ()), trust, no_input, quiet, verbose)
    raise Ended(_begin(prompt, options, "json" if as_json else output_format, Resume(continued, resume)))


def _begin(prompt: str | None, options: Options, output: FormatName, resume: Resume) -> int:
    if prompt is not None:
        from qagent.cli.once import once

        return once(prompt, options, output, resume)
    if output != "text":
        raise UsageProblem("a conversation has no JSON form", todo='give a task: qagent -p "…" --json')
    from qagent.cli.talk import talk

    return talk(options, resume)


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the sample repository where it is.")] = False,
    mode: Annotated[ModeName, typer.Option(help="With `plan` nothing may be edited, and the demo must fail.")] = "auto",
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also how each reply was read.")] = False,
) -> None:
    """Show a whole run with a scripted model: no server, no network."""
    from qagent.cli.demonstrate import demonstrate

    raise Ended(demonstrate(keep=keep, mode=mode, detail=verbose))


sessions = typer.Typer(help="List, show, export and delete saved sessions.", rich_markup_mode=None)
app.add_typer(sessions, name="sessions", invoke_without_command=True)


@sessions.callback(invoke_without_command=True)
def sessions_root(context: typer.Context, as_json: AsJson = False, everything: Everything = False) -> None:
    if context.invoked_subcommand is None:
        sessions_list(as_json=as_json, everything=everything)


@sessions.command("list")
def sessions_list(as_json: AsJson = False, everything: Everything = False) -> None:
    """The sessions, the newest first."""
    from qagent.cli.history import list_sessions

    list_sessions(as_json=as_json, everything=everything)


@sessions.command("show")
def sessions_show(session: SessionId, as_json: AsJson = False) -> None:
    """One session, readable; with --json its entries, one a line."""
    from qagent.cli.history import show_session

    show_session(session, as_json=as_json)


@sessions.command("export")
def sessions_export(
    session: SessionId,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file; stdout without it.")] = None,
) -> None:
    """One session as Markdown."""
    from qagent.cli.history import export_session

    export_session(session, output)


@sessions.command("delete")
def sessions_delete(session: SessionId) -> None:
    """Delete one session from the disk."""
    from qagent.cli.history import delete_session

    delete_session(session)


@sessions.command("diff")
def sessions_diff(
    session: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A session's ID; else the last one here.")
    ] = None,
    cwd: Folder = Path(),
) -> None:
    """What the tasks of a session changed on the disk, as a patch."""
    from qagent.cli.undo import show_diff

    show_diff(session, cwd)


Times = Annotated[str | None, typer.Argument(metavar="[COUNT]", help="How many tasks; 1 without it.")]
Listed = Annotated[bool, typer.Option("--list", help="Only show the last 50 tasks, of two weeks at most.")]
DryRun = Annotated[bool, typer.Option("-n", "--dry-run", help="Only show what it would do.")]
SkipChanged = Annotated[bool, typer.Option("--skip-changed", help="Leave files as they are that you changed since.")]


@app.command()
def undo(
    times: Times = None,
    listed: Listed = False,
    dry_run: DryRun = False,
    skip_changed: SkipChanged = False,
    cut_off: Annotated[
        bool, typer.Option("--cut-off", help="Also a task that was killed, with all that changed since it began.")
    ] = False,
    cwd: Folder = Path(),
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Take back what the last task changed on the disk. Never touches a file that you changed since."""
    from qagent.cli.undo import count_of, list_turns, take
    from qagent.workspace.undoing import Ways

    if listed:
        _alone(times, dry_run, skip_changed, cut_off)
        list_turns(cwd, as_json=as_json)
    else:
        ways = Ways(cut_off, skip_changed, dry_run)
        take("undo", cwd, ways, times=count_of(times), as_json=as_json, quiet=quiet)


def _alone(times: str | None, *others: bool) -> None:
    if times is not None or any(others):
        raise UsageProblem("--list only shows the tasks: leave the count and the other options out")


@app.command()
def redo(
    times: Times = None,
    listed: Listed = False,
    dry_run: DryRun = False,
    skip_changed: SkipChanged = False,
    cwd: Folder = Path(),
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Do again what was taken back last."""
    from qagent.cli.undo import count_of, list_turns, take
    from qagent.workspace.undoing import Ways

    if listed:
        _alone(times, dry_run, skip_changed)
        list_turns(cwd, as_json=as_json)
    else:
        ways = Ways(False, skip_changed, dry_run)
        take("redo", cwd, ways, times=count_of(times), as_json=as_json, quiet=quiet)


@app.command()
def doctor(
    as_json: AsJson = False,
    cwd: Folder = Path(),
    server: Server = None,
    host: Host = None,
    model: Annotated[str | None, typer.Option("-m", "--model", help="Look for this model.")] = None,
    sets: Sets = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also what the sandbox does not close.")] = False,
) -> None:
    """What works here, what does not, and the command that mends it. Exit 3 when something cannot work at all."""
    from qagent.cli.doctor import doctor as examine
    from qagent.cli.start import Options

    flags: dict[str, object] = {"server": server, "host": host, "model": model}
    raise Ended(examine(Options(cwd, flags, tuple(sets or ()), no_input=True, verbose=verbose), as_json=as_json))


models = typer.Typer(help="What is known of a model, and what is set for it.", rich_markup_mode=None)
app.add_typer(models, name="models")


@models.callback(invoke_without_command=True)
def models_root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@models.command("show")
def models_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model's name, or a size of the family: 7b.")],
    as_json: AsJson = False,
    cwd: Folder = Path(),
    server: Server = None,
    host: Host = None,
    sets: Sets = None,
) -> None:
    """The values that count for a model, where each comes from, and what its server tells of it."""
    from qagent.cli.models import show_model
    from qagent.cli.start import Options

    options = Options(cwd, {"server": server, "host": host}, tuple(sets or ()), no_input=True, quiet=True)
    show_model(name, options, as_json=as_json)


debug = typer.Typer(help="Replay one reply, one edit, one prompt.", rich_markup_mode=None)
app.add_typer(debug, name="debug")


@debug.callback(invoke_without_command=True)
def debug_root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@debug.command("parse")
def debug_parse(
    file: Annotated[Path | None, typer.Argument(help="A reply as the model wrote it; stdin without it.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="JSON Lines in, JSON Lines out.")] = False,
    as_json: AsJson = False,
    tools: Annotated[
        Path | None, typer.Option("--tools", help="A JSON list of the tools on offer; qagent's own without it.")
    ] = None,
) -> None:
    """Which calls are in a reply, how they were read, and what is said around them.

    With --jsonl a line in is {"id", "raw" or "chunks" or "chunks_hex", "tools": [name or {"name", "parameters"}]},
    a line out {"id", "calls": [{"name", "arguments"}], "text", "bad": [{"why", "raw"}], "streamed": [text a chunk],
    "forms": [one a call], "repairs": [a list a call]}.
    """
    from qagent.cli.json_lines import open_stream

    if jsonl and (as_json or tools):
        raise UsageProblem("--jsonl is JSON already, and its lines bring their tools: leave --json and --tools out")
    if jsonl:
        from qagent.cli.parse import parse_lines

        parse_lines(open_stream(file))
    else:
        from qagent.cli.one_reply import parse_one

        parse_one(open_stream(file).read(), tools, as_json=as_json)


@debug.command("edit")
def debug_edit(
    jsonl: Annotated[bool, typer.Option("--jsonl", help="JSON Lines in, JSON Lines out (the only form).")] = True,
    gate: Annotated[bool, typer.Option("--gate", help="Refuse what makes a new syntax error, too.")] = False,
) -> None:
    """What edits make of a text.

    A line in is {"id", "file", "before", "edits": [{"old", "new", "replace_all"}], "seen"}, a line out {"id", "after"}
    or {"id", "error", "message"} with error not_found, ambiguous, no_change, empty_old, stale, elided or syntax.
    """
    from qagent.cli.json_lines import open_stream
    from qagent.cli.replay import edit_lines

    edit_lines(open_stream(None), gated=gate)


@debug.command("prompt")
def debug_prompt(
    task: Annotated[str, typer.Argument(help="The task to render.")] = "Fix the failing test.",
    cwd: Folder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="With token estimate and the tools' schemas.")] = False,
    model: Annotated[str | None, typer.Option("-m", "--model", help="For this model; the 7B without it.")] = None,
    server: Server = None,
    sets: Sets = None,
) -> None:
    """The exact first prompt that the model would get here; no server is asked."""
    from qagent.cli import replay
    from qagent.cli.start import Options

    options = Options(cwd, {"model": model, "server": server}, tuple(sets or ()), quiet=True)
    replay.first_prompt(task, options, as_json=as_json)
