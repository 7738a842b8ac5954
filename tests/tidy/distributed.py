#!/usr/bin/env python3
"""Every file that git knows is part of a release.

Usage: distributed.py BUILD_DIR [SOURCE_DIR].  A file that no fragment of the build names would be
missing from `make dist`, and whoever builds from the tarball would be the first to see it.  Exits
with 77 (skipped) where the sources are not a git checkout.
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import makefile  # noqa: E402

# The second is copied by the dist-hook, since its name is also a target's.
NOT_DISTRIBUTED = {".gitignore", "check"}


def main():
    build_dir = Path(sys.argv[1]).resolve()
    top = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent.parent).resolve()
    listing = subprocess.run(["git", "-C", str(top), "ls-files", "-z"], capture_output=True, check=False) \
        if (top / ".git").exists() else None
    if listing is None or listing.returncode != 0:
        print("not a git checkout")
        return 77
    known = [name for name in listing.stdout.decode().split("\0") if name and (top / name).exists()]
    # automake lists files relative to the source directory or to the build directory, folders as they are.
    distributed = set()
    for name in makefile.variables(build_dir, "DISTFILES")["DISTFILES"].split():
        for path in ((top / name).resolve(), (build_dir / name).resolve()):
            if path.exists() and path.is_relative_to(top):
                distributed.add(str(path.relative_to(top)))
                break
    missing = [name for name in known if name not in NOT_DISTRIBUTED and name not in distributed and
               not any(str(parent) in distributed for parent in Path(name).parents)]
    for name in missing:
        print(f"{name}: no fragment of the build names it (EXTRA_DIST or a _SOURCES)")
    print(f"{len(known)} files, {len(missing)} not distributed")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
