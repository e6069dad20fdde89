"""What the checks of a store's books came to that hold now."""

from __future__ import annotations

from dataclasses import dataclass

from models.audit_run import AuditReport
from models.books import Finding
from models.reconciliation import Difference, KeptReconciliation, SeenDifference


@dataclass(frozen=True, slots=True)
class Checked:
    """The audits that hold, and the last comparison of each span with Flash's list."""

    audits: tuple[AuditReport, ...] = ()
    reconciliations: tuple[KeptReconciliation, ...] = ()
    seen: tuple[SeenDifference, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing contradicts anything that nobody has seen; at first nothing does."""
        seen = self.seen_by_key
        return all(report.run.is_clean for report in self.audits) and all(
            kept.is_clean_but(seen) for kept in self.reconciliations
        )

    @property
    def seen_by_key(self) -> dict[str, SeenDifference]:
        """Return what was said of differences, by their keys."""
        return {each.difference: each for each in self.seen}

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Return each difference once: what is open is of the last 35 days, too."""
        all_of_them = (each for kept in self.reconciliations for each in kept.found.differences)
        return tuple(dict.fromkeys(all_of_them))

    @property
    def found(self) -> int:
        """Return how much the audits found."""
        return sum(report.run.found for report in self.audits)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return the first of what the audits found."""
        return tuple(finding for report in self.audits for finding in report.findings)
