"""Debian packages that tests use without installing them."""

import shutil
import subprocess


def unpacked(directory, *packages):
    """Unpacks packages into a directory, for the first time only, and returns it.

    OSError: they cannot be had here; the text says why.
    """
    stamp = directory / ".complete"
    if stamp.exists():
        return directory
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise OSError(f"the Debian package {packages[0]} cannot be had without {tool}")
    shutil.rmtree(directory, ignore_errors=True)
    debs = directory / "debs"
    debs.mkdir(parents=True)

    def apt_get(*arguments):
        # _apt, as which apt-get would download, cannot write into a directory of ours.
        return subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", *arguments], cwd=debs,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False)
    done = apt_get("download", *packages)
    if done.returncode != 0:  # a machine that never fetched the lists of packages
        apt_get("update")
        done = apt_get("download", *packages)
    if done.returncode != 0:
        raise OSError(f"apt-get cannot download {', '.join(packages)}: {done.stderr.strip()}")
    for deb in debs.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, directory], check=True)
    shutil.rmtree(debs)
    stamp.touch()
    return directory
