"""A sandbox at the machine's own time: here the service runs in a process with a real clock."""

from __future__ import annotations

import pytest

from tests.support.sandbox import SandboxProcess


@pytest.fixture
def sandbox(punctual_sandbox: SandboxProcess) -> SandboxProcess:
    return punctual_sandbox
