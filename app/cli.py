"""The command line: `flash-payouts`, also `python -m app`.

Exit status: 0 done, 1 failed or found something, 2 bad usage or setting.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from models.errors import InvalidField, ServiceError, SettingError
from models.export import ExportFormat

cli = typer.Typer(
    name="flash-payouts",
    help="Pay people out over Lightning from a Flash wallet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
api_key = typer.Typer(help="Keys for programs.", no_args_is_help=True)
cli.add_typer(api_key, name="api-key")

keys = typer.Typer(help="The keys that seal secrets.", no_args_is_help=True)
cli.add_typer(keys, name="keys")

OfStore = Annotated[str, typer.Option("--store", help="The store the key belongs to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main() -> NoReturn:
    """Run a command; an error of ours becomes one line and an exit status."""
    try:
        cli(standalone_mode=True)
    except SettingError as error:
        _fail(error.message, 2)
    except InvalidField as error:
        _fail(f"{error.field}: {error.message}", 2)
    except ServiceError as error:
        _fail(error.message, 1)
    sys.exit(0)


def _fail(message: str, status: int) -> NoReturn:
    print(f"flash-payouts: {message}", file=sys.stderr)
    sys.exit(status)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run asynchronous work on the faster loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@cli.command(epilog="Example: flash-payouts init --store 'Corner Café' --owner owner@example.com")
def init(
    store: Annotated[str, typer.Option(help="The name of the store.")],
    owner: Annotated[str, typer.Option(help="The owner's e-mail address.")],
    currency: Annotated[str, typer.Option(help="What worths are shown in.")] = "USD",
    time_zone: Annotated[str, typer.Option(help="Where the store's days begin.")] = "UTC",
    password_stdin: Annotated[bool, typer.Option(help="Read a password from stdin.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a store and its owner; said again, it answers the same."""
    del as_json  # the answer is JSON either way
    from app import commands

    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    made = _run(commands.init(store, owner, currency, time_zone, password))
    print(json.dumps({"store_id": made.store_id, "user_id": made.user_id}))


@api_key.command(
    "create",
    epilog="Example: flash-payouts api-key create --store st_… --name till --role manager",
)
def create_api_key(
    store: Annotated[str, typer.Option(help="The store the key belongs to.")],
    name: Annotated[str, typer.Option(help="What the key is for.")],
    role: Annotated[str, typer.Option(help="owner, manager, approver or viewer.")],
    days: Annotated[int | None, typer.Option(help="How long it lives.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="Only this; say it for each.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, the only time it is shown."""
    from app import key_commands

    key = _run(key_commands.create(store, name, role, days, scope or []))
    print(json.dumps({"key": key}) if as_json else key)


@api_key.command("list", epilog="Example: flash-payouts api-key list --store st_…")
def list_api_keys(store: OfStore, as_json: AsJson = False) -> None:
    """Tell of each key what it may, until when, and when it was used last."""
    from app import key_commands

    keys = _run(key_commands.list_of(store))
    lines = (key_commands.line(key) for key in keys)
    print(json.dumps([key_commands.plain(key) for key in keys]) if as_json else "\n".join(lines))


@api_key.command("rotate", epilog="Example: flash-payouts api-key rotate --store st_… ak_…")
def rotate_api_key(
    key: Annotated[str, typer.Argument(help="Its id.")],
    store: OfStore,
    grace_hours: Annotated[int, typer.Option(help="How long the old one works on.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Make a key like an old one and print it, the only time it is shown."""
    from app import key_commands

    made = _run(key_commands.rotate(store, key, grace_hours))
    print(json.dumps({"key": made}) if as_json else made)


@api_key.command("revoke", epilog="Example: flash-payouts api-key revoke --store st_… ak_…")
def revoke_api_key(
    key: Annotated[str, typer.Argument(help="Its id.")], store: OfStore, as_json: AsJson = False
) -> None:
    """Have a key work no more, at once."""
    from app import key_commands

    _run(key_commands.revoke(store, key))
    print(json.dumps({"revoked": key}) if as_json else f"revoked {key}")


@cli.command(epilog="Example: flash-payouts reset alice@example.com --authenticator")
def reset(
    email: Annotated[str, typer.Argument(help="Who has lost their password.")],
    authenticator: Annotated[bool, typer.Option(help="Their authenticator is lost too.")] = False,
    as_json: AsJson = False,
) -> None:
    """End a person's sessions, and print a link by which they set a new password, once."""
    from app import commands

    link = _run(commands.reset(email, drops_factor=authenticator))
    print(json.dumps({"link": link}) if as_json else f"Within an hour: {link}")


@cli.command(epilog="Example: FLASH_PAYOUTS_FLASH_TOKEN=… flash-payouts serve")
def serve() -> None:
    """Serve the API, the card and link endpoints, and the dashboard."""
    from app import commands

    _run(commands.serve())


@cli.command(epilog="Example: FLASH_PAYOUTS_DATABASE_URL=postgresql://… flash-payouts migrate")
def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema."""
    from app import commands

    revision = commands.migrate()
    print(json.dumps({"revision": revision}) if as_json else f"schema {revision}")


@cli.command(
    epilog="Example: flash-payouts export --format csv --from 2026-11-01 --to 2026-11-20 -o FILE"
)
def export(
    *,
    output: Annotated[str, typer.Option("--output", "-o", help="The file; - is stdout.")],
    form: Annotated[ExportFormat, typer.Option("--format", help="What kind of file.")],
    store: Annotated[str | None, typer.Option(help="Which store, if there are several.")] = None,
    status: Annotated[str | None, typer.Option(help="Words, with commas between.")] = None,
    state: Annotated[str | None, typer.Option(help="Exact states, with commas.")] = None,
    card: Annotated[str | None, typer.Option(help="A card by id, UID or alias.")] = None,
    pull_payment: Annotated[str | None, typer.Option(help="A pull payment by id.")] = None,
    min_sats: Annotated[str | None, typer.Option(help="From this amount.")] = None,
    max_sats: Annotated[str | None, typer.Option(help="Up to this amount.")] = None,
    q: Annotated[str | None, typer.Option(help="Start of an id, hash, destination, word.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Date, or time with offset.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="A date is meant with its day.")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Mark a CSV as UTF-8 for Excel.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write all payouts of a filter into one file, newest first."""
    from app import export_command

    fields = {"status": status, "state": state, "card": card, "pull_payment": pull_payment}
    fields |= {"min_sats": min_sats, "max_sats": max_sats, "q": q, "from": from_, "to": to}
    done = _run(export_command.export(form, fields, store, output, for_excel=bom))
    # A file that goes to stdout has it to itself.
    text = json.dumps(done.fields) if as_json else done.sentence
    print(text, file=sys.stderr if output == "-" else sys.stdout)


@cli.command(epilog="Example: flash-payouts reconcile --from 2026-11-01 --to 2026-11-20")
def reconcile(
    store: Annotated[str | None, typer.Option(help="Which store, if there are several.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Date, or time with offset.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="A date is meant with its day.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare our ledger with Flash's list and balance; status 1 if they or audits differ."""
    from app import reconcile_command

    found, checked = _run(reconcile_command.reconcile(store, from_, to))
    lines = reconcile_command.sentences(found, checked)
    print(json.dumps(reconcile_command.plain(found, checked)) if as_json else "\n".join(lines))
    is_clean = found.is_clean_but(checked.seen_by_key)
    sys.exit(0 if is_clean and not checked.found else 1)


@cli.command(epilog="Example: flash-payouts stop")
def stop(
    store: Annotated[str | None, typer.Option(help="One store; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let no new send or repeat start; look-ups go on."""
    _stop_or_resume(store, stopped=True, as_json=as_json)


@cli.command(epilog="Example: flash-payouts resume")
def resume(
    store: Annotated[str | None, typer.Option(help="One store; all if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let sends start again."""
    _stop_or_resume(store, stopped=False, as_json=as_json)


def _stop_or_resume(store: str | None, *, stopped: bool, as_json: bool) -> None:
    from app import commands

    stores = _run(commands.set_stopped(store, stopped=stopped))
    word = "stopped" if stopped else "resumed"
    print(json.dumps({word: stores}) if as_json else f"{word} {len(stores)} store(s)")


@cli.command("open-gate", epilog="Example: flash-payouts open-gate")
def open_gate(
    store: Annotated[str | None, typer.Option(help="One store; all if left out.")] = None,
    unread: Annotated[
        str | None, typer.Option(help="Why Flash's list need not be read first, for the record.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open a gate that is shut: after a restore, or before it opens by itself."""
    from app import commands

    stores = _run(commands.open_gate(store, unread))
    print(json.dumps({"opened": stores}) if as_json else f"opened for {len(stores)} store(s)")


@cli.command(epilog="Example: flash-payouts backup backups/payouts-2026-11-21.backup")
def backup(
    file: Annotated[Path, typer.Argument(help="A new file.")],
    as_json: AsJson = False,
) -> None:
    """Copy the database while it is served; the master key is not in it: keep that elsewhere."""
    from app import commands

    made = commands.back_up(file)
    text = f"{file}: schema {made.revision}, {made.kind}, epoch {made.epoch}; without the key"
    print(json.dumps({"file": str(file)} | asdict(made)) if as_json else text)


@cli.command(epilog="Example: flash-payouts restore backups/payouts-2026-11-21.backup")
def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` made.")],
    as_json: AsJson = False,
) -> None:
    """Put a backup in the database's place; the next start sends nothing until an owner says so."""
    from app import commands

    done = commands.restore(file)
    text = f"restored schema {done.revision}, {done.kind}, epoch {done.epoch}; the gate is shut"
    print(json.dumps({"file": str(file)} | asdict(done)) if as_json else text)


@keys.command("rotate", epilog="Example: flash-payouts keys rotate")
def rotate_keys(as_json: AsJson = False) -> None:
    """Seal every secret with new keys, while nothing is served; cut off, run it again."""
    from app import commands

    done = _run(commands.rotate_keys())
    text = f"{done.sealed_anew:,} secrets of {done.stores} store(s) have new keys"
    kept = f"{done.kept_key} opens older backups: keep it as safe as the new one"
    print(json.dumps(asdict(done)) if as_json else f"{text}; {kept}")
    if done.unreadable:
        print(f"{done.unreadable:,} secrets were opened by no key", file=sys.stderr)


@cli.command(epilog="Example: flash-payouts doctor")
def doctor(as_json: AsJson = False) -> None:
    """Look at settings, key, database, disk, clock, Flash and server; say what to do."""
    from app.doctor import examine
    from models.checkup import Verdict

    findings = _run(examine())
    is_well = all(finding.verdict is not Verdict.FAIL for finding in findings)
    if as_json:
        print(json.dumps({"ok": is_well, "findings": [asdict(each) for each in findings]}))
    else:
        print("\n".join(finding.line for finding in findings))
    if not is_well:
        sys.exit(1)


@cli.command(epilog="Example: flash-payouts sandbox --port 8081 --ws-port 8082 --ledger s.db")
def sandbox(
    port: Annotated[int, typer.Option(help="HTTP port.")],
    ws_port: Annotated[int, typer.Option(help="Websocket port.")],
    ledger: Annotated[Path, typer.Option(help="The file of its durable ledger.")],
) -> None:
    """Run the stand-in for Flash that demos and tests pay through."""
    from app.sandbox.server import run

    run(port=port, ws_port=ws_port, ledger=ledger)


@cli.command(epilog="Example: flash-payouts demo --payouts 1000000 --days 90 --seed 7")
def demo(
    payouts: Annotated[int, typer.Option(min=0, max=100_000_000, help="How many.")] = 5_000,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="Over how many days.")] = 90,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Write a history in bulk into the demo's database and its sandbox's ledger."""
    from app import demo_commands

    written = _run(demo_commands.write(payouts, days, seed))
    made = f"{written.payouts:,} payouts of {written.days} days in {written.took_s:.1f} s"
    print(json.dumps(written.plain()) if as_json else f"{made}: {written.database}")


@cli.command("run-demo", epilog="Example: FLASH_PAYOUTS_PORT=9000 flash-payouts run-demo")
def run_demo(
    payouts: Annotated[int, typer.Option(min=0, help="Of the first start's history.")] = 5_000,
    mean_gap_ms: Annotated[int, typer.Option(min=10, help="Between two visits.")] = 3_500,
) -> None:
    """Serve the demo with its sandbox and its town, as `make run` does."""
    from app import demo_commands

    _run(demo_commands.run(payouts, mean_gap_ms))
    demo_commands.leave()


if __name__ == "__main__":
    main()
