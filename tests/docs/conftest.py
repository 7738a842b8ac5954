"""Fixtures of the tests that hold the documentation against the programs."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import ovs_test  # noqa: E402


@pytest.fixture
def box():
    """A private set of directories; the daemons started in it end with the test."""
    with ovs_test.Sandbox() as sandbox:
        yield sandbox
