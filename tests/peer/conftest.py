"""Fixtures of the tests against the packaged programs (PEER names their directory).

Without PEER there is nothing to compare with: every test here is then skipped, and says so.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import ovs_test  # noqa: E402


def pytest_collection_modifyitems(items):
    if os.environ.get("PEER"):
        return
    here = Path(__file__).parent
    skip = pytest.mark.skip(reason="PEER is not set: no packaged programs to compare with")
    for item in items:
        if here in Path(item.fspath).parents:
            item.add_marker(skip)


@pytest.fixture
def box():
    """A private set of directories; the daemons started in it end with the test."""
    with ovs_test.Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def box_pair():
    """Two sandboxes, to do the same with our programs and with the packaged ones."""
    with ovs_test.Sandbox() as ours, ovs_test.Sandbox() as packaged:
        yield ours, packaged
