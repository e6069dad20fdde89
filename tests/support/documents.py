"""Readers of what is committed beside the code: README, Makefile, lock files, addresses."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
WORD = re.compile(r"[a-z][a-z-]*")
SETTING = re.compile(r"\bFLASH_PAYOUTS_[A-Z0-9_]+\b")
LOCKED = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[^\s;]+)(?: ; [^\\]+?)?"
    r"(?:\s+--hash=sha256:[0-9a-f]{64})+"
)

# In pieces, so that this file does not hold what it looks for.
HOSTS = (
    *(("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("anaconda", "org")),
    *(("crates", "io"), ("rubygems", "org"), ("docker", "io"), ("ghcr", "io")),
)
PLACES = (
    *(("", "root", ""), ("", "home", ""), ("", "Users", ""), ("", "opt", "wheels")),
    *(("", "opt", "pypi"), ("", "work", "main"), ("", "work", "shared")),
)
FORBIDDEN = (*map(".".join, HOSTS), *map("/".join, PLACES))
NOT_COMMITTED = {".git", ".venv", ".hypothesis", ".nicegui", "__pycache__", "build", "data", "dist"}


def commands(markdown: str, program: str) -> list[list[str]]:
    """Return what follows `program` on each line of the code blocks, word by word."""
    lines = [line for block in FENCE.findall(markdown) for line in block.splitlines()]
    called = re.compile(rf"(?:\$ )?(?:\S*/)?{program}(?: +(.*))?")
    return [
        re.split(r" #|&&|[|;>]", match[1] or "")[0].split()
        for line in lines
        if (match := called.fullmatch(line.strip()))
    ]


def make_targets(makefile: str) -> set[str]:
    """Return what `make` can be asked for."""
    return set(TARGET.findall(makefile))


def asked_targets(markdown: str) -> set[str]:
    """Return what the code blocks ask `make` for."""
    return {word for words in commands(markdown, "make") for word in words if WORD.fullmatch(word)}


def subcommand(words: list[str]) -> list[str]:
    """Return the leading words that name a command: all before an option or a value."""
    named = []
    for word in words:
        if not WORD.fullmatch(word):
            break
        named.append(word)
    return named


def options(words: list[str]) -> set[str]:
    """Return the long options among the words of a command."""
    return {word.split("=")[0].strip("[]") for word in words if word.strip("[]").startswith("--")}


def settings_named(text: str) -> set[str]:
    """Return the settings that a text names in full."""
    return set(SETTING.findall(text))


def locked_versions(lock: str) -> dict[str, str]:
    """Return each package of a lock file with its version; a line of another form is an error."""
    versions = {}
    for entry in lock.replace("\\\n", " ").splitlines():
        match = LOCKED.fullmatch(entry.strip())
        if entry.strip() and match is None:
            raise ValueError(f"neither a pin with hashes nor nothing: {entry.strip()[:80]}")
        if match:
            versions[match["name"]] = match["version"]
    return versions


def committed_files(root: Path) -> Iterator[Path]:
    """Yield the files that belong to the tree, as git sees them where it can."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    names: Iterable[Path] = (root / name for name in listed.stdout.decode().split("\0") if name)
    if listed.returncode:
        names = (path for path in root.rglob("*") if not _is_made(path.relative_to(root)))
    yield from (path for path in names if path.is_file())


def _is_made(path: Path) -> bool:
    return any(
        part in NOT_COMMITTED or part.endswith(("_cache", ".egg-info")) for part in path.parts
    )


def forbidden_addresses(text: str) -> list[str]:
    """Return the registry hosts and machine paths that a text holds."""
    return [address for address in FORBIDDEN if address in text]
