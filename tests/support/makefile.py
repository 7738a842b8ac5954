"""Asks the Makefile of a build directory for the values of its variables."""

import os
import subprocess


def variables(build_dir, *names):
    """Returns {name: value} as make expands them, white space as it stands there."""
    prefix = "value-of "
    rules = "print-variables:\n\t@:" + "".join(f"$(info {prefix}{n}=$({n}))" for n in names) + "\n"
    # What an outer make tells its children (a jobserver, -n) is not meant for this one.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    run = subprocess.run(
        ["make", "-s", "--no-print-directory", "-f", "Makefile", "-f", "-", "print-variables"],
        cwd=build_dir, input=rules, text=True, capture_output=True, env=environment, check=False)
    if run.returncode != 0:
        raise SystemExit(f"make in {build_dir} failed:\n{run.stdout}{run.stderr}")
    lines = [line[len(prefix):] for line in run.stdout.splitlines() if line.startswith(prefix)]
    values = dict(line.split("=", 1) for line in lines)
    return {name: values[name] for name in names}
