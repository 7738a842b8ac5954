"""Fixtures of the tests that run our programs as a user does, in private directories.

Tests that compare with the packaged programs are in tests/peer; a test here that can use them
asks for `packaged` and is skipped where PEER does not name their directory.
"""

import os
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


@pytest.fixture
def packaged():
    """Says that a test needs the packaged programs: box.run(..., flavour="packaged")."""
    if not os.environ.get("PEER"):
        pytest.skip("PEER is not set: no packaged programs")
    return "packaged"


@pytest.fixture(scope="session")
def tls():
    """Says that a test needs programs with TLS."""
    if not ovs_test.has_tls():
        pytest.skip("the programs were built without TLS")
