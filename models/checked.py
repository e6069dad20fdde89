"""What the checks of a store's books came to that hold now."""

from __future__ import annotations

from dataclasses import dataclass

from models.audit_run import AuditReport
from models.books import Finding
from models.reconciliation import KeptReconciliation


@dataclass(frozen=True, slots=True)
class Checked:
    """The audits that hold, and the last comparison of each span with Flash's list."""

    audits: tuple[AuditReport, ...] = ()
    reconciliations: tuple[KeptReconciliation, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing contradicts anything; before the first check nothing does."""
        return all(report.run.is_clean for report in self.audits) and all(
            kept.is_clean for kept in self.reconciliations
        )

    @property
    def found(self) -> int:
        """Return how much the audits found."""
        return sum(report.run.found for report in self.audits)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return the first of what the audits found."""
        return tuple(finding for report in self.audits for finding in report.findings)
