"""sFlow as a test or the demonstration sees it: a collector that remembers what arrived.

    with Collector(namespace, "10.0.0.1:6343") as collector:
        ...
        samples = collector.wait_for(lambda: [s for s in collector.flow_samples() if s["input"] == 3])

What arrives is decoded by tests/support/sflow_collector, the program beside this file; the names of samples,
records and fields are those that it prints.
"""

import json
import subprocess
import threading

from ovs_test import build_dir, wait_until


def record(sample, name):
    """The record of that name of a sample, or None."""
    return next((r for r in sample["records"] if r["record"] == name), None)


class Collector:
    """Listens in a namespace (None: here) at "[ADDRESS:]PORT"; a port of 0 is any free one."""

    def __init__(self, namespace=None, address="0"):
        program = [build_dir() / "tests" / "support" / "sflow_collector", str(address)]
        prefix = list(namespace.prefix) if namespace else []
        self._process = subprocess.Popen([*prefix, *program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         text=True)
        first = self._process.stdout.readline()
        assert first, f"no collector at {address}"
        self.port = json.loads(first)["port"]
        self.datagrams = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stdout:
            self.datagrams.append(json.loads(line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        self._process.stdout.close()
        # Nothing that is not sFlow may ever arrive.
        errors = [d["error"] for d in self.datagrams if "error" in d]
        assert not errors, errors

    def samples(self, kind):
        return [s for d in list(self.datagrams) for s in d["samples"] if s["sample"] == kind]

    def flow_samples(self):
        return self.samples("flow")

    def counter_samples(self):
        return self.samples("counters")

    def clear(self):
        self.datagrams = []

    @staticmethod
    def wait_for(condition, timeout=10, what="datagrams of sFlow"):
        """Waits until condition() is true, and returns what it returned."""
        found = []

        def look():
            found[:] = [condition()]
            return found[0]

        wait_until(look, timeout, what)
        return found[0]
