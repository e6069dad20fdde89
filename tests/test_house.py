"""What is written beside the code is true: commands, settings, lock files, addresses."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import documents

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PREFIX = "FLASH_PAYOUTS_"
A_HASH = f"--hash=sha256:{'0' * 64}"


def text_of(name: str) -> str:
    path = ROOT / name
    if not path.exists():
        pytest.fail(f"{name} is missing", pytrace=False)
    return path.read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(text_of("pyproject.toml"))


def help_of(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *command, "--help"],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
    )


def wanted_by(*extras: str) -> list[Requirement]:
    declared = project()["project"]
    lines = declared["dependencies"] + project()["build-system"]["requires"]
    for extra in extras:
        lines += declared["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def test_the_readme_asks_make_only_for_what_there_is() -> None:
    asked = documents.asked_targets(text_of("README.md"))

    assert {"run", "test"} <= asked
    assert not asked - documents.make_targets(text_of("Makefile"))


def test_the_commands_in_the_readme_exist_with_their_options() -> None:
    calls = documents.commands(text_of("README.md"), "flash-payouts")
    names = {tuple(documents.subcommand(words)) for words in calls}
    answers = {name: help_of(list(name)) for name in names}

    for words in calls:
        answer = answers[tuple(documents.subcommand(words))]
        assert answer.returncode == 0, f"flash-payouts {' '.join(words)}: {answer.stderr}"
        for option in documents.options(words):
            assert option in answer.stdout, f"flash-payouts {' '.join(words)}: no {option}"


def settings_class() -> Any:
    if importlib.util.find_spec("app.settings") is None:
        pytest.fail("app/settings.py is missing", pytrace=False)
    return importlib.import_module("app.settings").Settings


def settings() -> set[str]:
    return {PREFIX + field.upper() for field in settings_class().model_fields}


@pytest.mark.parametrize("name", ["README.md", ".env.example"])
def test_every_setting_that_is_documented_exists(name: str) -> None:
    assert not documents.settings_named(text_of(name)) - settings()


def test_every_setting_has_its_line_in_the_example() -> None:
    assert not settings() - documents.settings_named(text_of(".env.example"))


def test_the_example_shows_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings():
        monkeypatch.delenv(name, raising=False)
    uncommented = tmp_path / "uncommented"
    uncommented.write_text(text_of(".env.example").replace(f"#{PREFIX}", PREFIX))

    assert settings_class()(_env_file=uncommented) == settings_class()(_env_file=None)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_nothing_else(name: str) -> None:
    assert documents.locked_versions(text_of(name))


@pytest.mark.parametrize(("name", "extras"), [(LOCKS[0], ()), (LOCKS[1], ("dev",))])
def test_a_lock_satisfies_what_the_project_asks_for(name: str, extras: tuple[str, ...]) -> None:
    versions = documents.locked_versions(text_of(name))

    for wanted in wanted_by(*extras):
        version = versions.get(canonicalize_name(wanted.name))
        assert version is not None, f"{wanted} is not in {name}: type make lock"
        assert wanted.specifier.contains(version), f"{wanted} is locked at {version}"


def test_both_locks_agree() -> None:
    runtime, dev = (documents.locked_versions(text_of(name)) for name in LOCKS)

    assert runtime.items() <= dev.items()


def test_no_file_names_a_registry_or_a_place_on_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {address}"
        for path in documents.committed_files(ROOT)
        for address in documents.forbidden_addresses(path.read_bytes().decode(errors="replace"))
    ]

    assert not found, "\n" + "\n".join(found)


def test_the_files_are_seen_with_and_without_git(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "money.py").touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()

    without = {path.name for path in documents.committed_files(tmp_path)}
    committed = {path.name for path in documents.committed_files(ROOT)}

    assert without == {"money.py"}
    assert {"pyproject.toml", "Makefile", "test_house.py"} <= committed


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("make run", {"run"}),
        ("$ make soak SECONDS=60   # for a minute", {"soak"}),
        ("make install && make run", {"install"}),
        ("makes no sense", set()),
        ('make test ARGS="-k tap"', {"test"}),
    ],
)
def test_targets_are_read_from_code_blocks(line: str, asked: set[str]) -> None:
    assert documents.asked_targets(f"make lunch\n\n```sh\n{line}\n```\n") == asked


def test_commands_are_read_with_their_options() -> None:
    block = "```\n.venv/bin/flash-payouts api-key create --store ID [--days 90] > key\n```\n"

    (words,) = documents.commands(block, "flash-payouts")

    assert documents.subcommand(words) == ["api-key", "create"]
    assert documents.options(words) == {"--store", "--days"}


@pytest.mark.parametrize(
    "line",
    [
        "psycopg==3.3.9",
        f"psycopg>=3.3 {A_HASH}",
        f"psycopg @ https://example.com/psycopg.whl {A_HASH}",
        "--index-url https://example.com/simple",
        "--find-links wheels",
        "-e .",
        "# made on Monday",
    ],
)
def test_a_lock_with_anything_but_hashed_pins_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="neither a pin"):
        documents.locked_versions(line)


def test_a_hashed_pin_is_read_with_or_without_a_marker() -> None:
    lock = f"uvloop==0.23.0 ; sys_platform != 'win32' \\\n    {A_HASH} \\\n    {A_HASH}\n"

    assert documents.locked_versions(lock) == {"uvloop": "0.23.0"}
    assert documents.locked_versions(f"idna==3.20 \\\n    {A_HASH}\n") == {"idna": "3.20"}


@pytest.mark.parametrize("address", documents.FORBIDDEN)
def test_a_forbidden_address_is_found(address: str) -> None:
    assert documents.forbidden_addresses(f"see {address} for it") == [address]
