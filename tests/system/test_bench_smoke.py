"""The benchmark works: a run with tiny counts ends well and measures every line of ours."""

import json
import os
import subprocess
import sys

import ovs_test


def test_every_line_is_measured(tmp_path):
    result = tmp_path / "result.json"
    environment = {k: v for k, v in os.environ.items() if k != "PEER"}
    subprocess.run([sys.executable, ovs_test.SOURCE_DIR / "bench" / "ovsdb",
                    f"--builddir={ovs_test.build_dir()}", "--rounds=1", "--scale=0.01",
                    f"--json={result}"],
                   check=True, timeout=ovs_test.limit(120), env=environment)
    lines = json.loads(result.read_text())["results"]
    assert len(lines) == 5 + 4 * 2 + 2 * 3 + 2 * 3
    for line in lines:
        assert len(line["values"]["ours"]) == 1, line["name"]
        assert line["ratio"] is None, "there is nothing to compare with"


def test_a_failed_request_fails_the_run(box, tmp_path):
    """Replies are looked at: a benchmark of errors would be a fast one."""
    server = box.start_ovsdb_server()
    requests = tmp_path / "requests"
    requests.write_text(json.dumps({"method": "transact", "id": 0, "params": [
        "Open_vSwitch", {"op": "select", "table": "No_such_table", "where": []}]}) + "\n")
    done = subprocess.run([ovs_test.build_dir() / "bench" / "ovsdb-bench", "load", server.socket,
                           f"--requests={requests}"], capture_output=True, text=True,
                          timeout=ovs_test.limit(30))
    assert done.returncode == 1
    assert "No_such_table" in done.stderr
