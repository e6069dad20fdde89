"""What `doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad a finding is; only a failure makes the command fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do about it if it is not well."""

    name: str
    verdict: Verdict
    says: str
    advice: str = ""

    @property
    def line(self) -> str:
        """Return it as one line."""
        text = f"{self.verdict:<5}{self.name}: {self.says}"
        return f"{text} -> {self.advice}" if self.advice else text
