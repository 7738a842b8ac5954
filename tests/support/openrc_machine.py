"""Machines that real OpenRC boots, for tests of the services in rc/.

    with Machine() as host:
        host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')
        host.rc_update("ovs")
        with host.booted():
            host.run("ovs-vsctl", "br-exists", "br0")
            host.connect("tap0", vm, "eth0")          # a cable to a network namespace of netns.py
        with host.booted():                           # the same disk again
            ...

A machine is an overlay of this system's / in namespaces of its own (mounts, processes, network, host name),
with Debian's OpenRC, the built programs, and the service scripts as `make install` puts them.  What it
writes stays on its disk, a temporary directory, from one boot to the next; its processes and interfaces do
not.  Nothing of it is visible outside.  Needs root, overlayfs, and for the first time apt-get download.
"""

import contextlib
import functools
import os
import re
import shutil
import subprocess
import tempfile
import textwrap
from pathlib import Path

import debian
import makefile
from ovs_test import SCHEMA, Closing, build_dir, limit, program, stretched, wait_until

PACKAGES = ("openrc", "librc1", "libeinfo1")
PROGRAMS = {"ovsdb-server": "sbin", "ovs-vswitchd": "sbin", "ovs-vsctl": "bin", "ovs-appctl": "bin",
            "ovsdb-client": "bin", "ovsdb-tool": "bin", "ovs-conf": "bin"}
# What the services expect of the programs.
DIRECTORIES = {"sysconfdir": "/etc", "rundir": "/run/openvswitch", "dbdir": "/var/lib/openvswitch",
               "logdir": "/var/log/openvswitch"}

# Process 1: makes the machine's file system, says that it is up, and then only reaps.
_INIT = r"""
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$TOP/upper,workdir=$TOP/work" "$TOP/root"
cd "$TOP/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=0755 tmpfs dev
# Where the services expect the schema, and where this build's programs do, which may be in /tmp.
if [ "$PKGDATADIR" != /usr/share/openvswitch ]; then
    mkdir -p ".$PKGDATADIR"
    cp usr/share/openvswitch/vswitch.ovsschema ".$PKGDATADIR"
fi
mkdir dev/net dev/shm dev/pts
for device in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0" "net/tun 10 200"; do
    set -- $device
    mknod -m 0666 "dev/$1" c "$2" "$3"
done
ln -s /proc/self/fd dev/fd
hostname machine
ip link set lo up
exec chroot . /usr/bin/python3 -c '
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
os.write(1, b"up\n")
while True:
    signal.sigwait({signal.SIGCHLD})
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
'
"""

_NAMESPACES = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"]

# Whether there can be such a file system.
_PROBE = """
mount --make-rprivate /
mount -t tmpfs tmpfs /tmp
mkdir /tmp/upper /tmp/work /tmp/root
mount -t overlay overlay -o lowerdir=/,upperdir=/tmp/upper,workdir=/tmp/work /tmp/root
mount -t proc proc /tmp/root/proc
mount -t sysfs sysfs /tmp/root/sys
"""

# What every machine has besides ours: nothing to mount, no udev.
_STUB = """\
#!/sbin/openrc-run
description="Stands for a service of a whole system"
depend() { {depend}; }
start() { {start}; }
stop() { {stop}; }
"""


@functools.lru_cache
def why_not():
    """Why there can be no machines here, or nothing."""
    if os.geteuid() != 0:
        return "only root may make a machine for OpenRC"
    for tool in ("unshare", "nsenter", "ip"):
        if not shutil.which(tool):
            return f"there is no {tool}"
    for name, found in makefile.variables(build_dir(), *DIRECTORIES).items():
        if found != DIRECTORIES[name]:
            return f"this build is configured with {name}={found}, and the services are for {DIRECTORIES[name]}"
    done = subprocess.run(_NAMESPACES + ["sh", "-ec", _PROBE], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=limit(30), check=False)
    if done.returncode != 0:
        return f"no overlay of / in namespaces can be made here: {done.stderr.strip()}"
    try:
        openrc_layer()
    except OSError as error:
        return str(error)
    return None


def openrc_layer():
    """The directory in which OpenRC's packages are unpacked."""
    return debian.unpacked(build_dir() / "openrc", *PACKAGES)


def _merge_usr(layer):
    """Where /lib is a link to /usr/lib, a directory of that name would hide the link."""
    for name in ("bin", "sbin", "lib"):
        if Path("/", name).is_symlink() and (layer / name).is_dir():
            shutil.copytree(layer / name, layer / "usr" / name, dirs_exist_ok=True, symlinks=True)
            shutil.rmtree(layer / name)


def install_services(destination):
    """Puts the service scripts and their configuration where `make install` does."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "-C", str(build_dir()), "install-openrc", f"DESTDIR={destination}",
                           "prefix=/usr", "sysconfdir=/etc", "localstatedir=/var", "rundir=/run/openvswitch"],
                          env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def remove(directory):
    """Removes a directory of a machine that is off, whether it was written to or not."""
    shutil.rmtree(directory, ignore_errors=True)


class Machine(Closing):
    """One machine, switched off to begin with."""

    def __init__(self):
        self.process = self.pid = None
        self.top = Path(tempfile.mkdtemp(prefix="ovs-machine-"))
        # The layers of an overlay must not be parts of one another, as directories below / would be.
        subprocess.run(["mount", "-t", "tmpfs", "ovs-machine", self.top], check=True)
        try:
            for name in ("upper", "work", "root", "programs"):
                (self.top / name).mkdir()
            self._install()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.power_off()
        subprocess.run(["umount", "--lazy", self.top], check=False)
        self.top.rmdir()

    # ---- the disk

    def path(self, path):
        """Where a file of the machine is for us."""
        base = Path(f"/proc/{self.pid}/root") if self.pid else self.top / "upper"
        return base / str(path).lstrip("/")

    def write(self, path, text, mode=0o644):
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def read(self, path):
        return self.path(path).read_text()

    def service(self, name, depend=":", start=":", stop=":", runlevel=None):
        """A service that stands for another one."""
        text = _STUB
        for key, value in (("depend", depend), ("start", start), ("stop", stop)):
            text = text.replace("{" + key + "}", value)
        self.write(f"/etc/init.d/{name}", text, 0o755)
        if runlevel:
            self.rc_update(name, runlevel)

    def rc_update(self, name, runlevel="default"):
        link = self.path(f"/etc/runlevels/{runlevel}/{name}")
        if not link.is_symlink():
            link.symlink_to(f"/etc/init.d/{name}")

    def _install(self):
        self._empty("/etc/init.d", "/etc/conf.d", "/etc/runlevels", "/etc/openvswitch", "/var/lib/openvswitch",
                    "/var/log/openvswitch")
        for runlevel in ("sysinit", "boot", "default", "nonetwork", "shutdown"):
            self.path(f"/etc/runlevels/{runlevel}").mkdir()
        # Not the databases of this system.
        for path in ("/var/lib/openvswitch", "/etc/openvswitch", "/var/log/openvswitch"):
            self.path(path).rmdir() if not Path(path).exists() else None
        shutil.copytree(openrc_layer(), self.top / "programs", symlinks=True, dirs_exist_ok=True)
        # Debian's own services, for its own boot.
        shutil.rmtree(self.top / "programs/etc")
        install_services(self.top / "programs")
        _merge_usr(self.top / "programs")
        programs = self.top / "programs" / "usr"
        for name, folder in PROGRAMS.items():
            (programs / folder).mkdir(parents=True, exist_ok=True)
            try:
                shutil.copy2(program(name), programs / folder / name)
            except AssertionError:
                if name != "ovs-conf":
                    raise
        schema = programs / "share/openvswitch/vswitch.ovsschema"
        schema.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(SCHEMA, schema)
        # What is in /etc is the administrator's, and changes.
        shutil.copytree(self.top / "programs/etc", self.top / "upper/etc", dirs_exist_ok=True)
        shutil.rmtree(self.top / "programs/etc")
        self.service("localmount", runlevel="boot")
        self.service("sysfs", runlevel="sysinit")
        # No container, whatever this system is.
        self.write("/etc/rc.conf", 'rc_sys=""\nrc_logger="NO"\nunicode="NO"\n')
        self.write("/etc/fstab", "")
        # Debian's OpenRC complains without these.
        self.write("/etc/insserv.conf", "")
        for path in ("/etc/insserv.conf.d", "/etc/insserv/overrides"):
            self.path(path).mkdir(parents=True)

    def _empty(self, *paths):
        for path in paths:
            directory = self.path(path)
            directory.mkdir(parents=True, exist_ok=True)
            if Path(path).is_dir():
                os.setxattr(directory, "trusted.overlay.opaque", b"y")

    # ---- running

    def power_on(self):
        """Starts the machine without OpenRC: its file system and process 1."""
        assert not self.process
        environment = dict(os.environ, TOP=str(self.top), LOWER=f"{self.top}/programs:/",
                           PKGDATADIR=makefile.variables(build_dir(), "pkgdatadir")["pkgdatadir"])
        self.process = subprocess.Popen(_NAMESPACES + ["sh", "-c", _INIT], env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = self.process.stdout.readline()
        if said != b"up\n":
            said += self.process.stdout.read()
            self.process.wait()
            self.process = None
            raise AssertionError(f"the machine did not come up: {said.decode()}")
        self.pid = int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def power_off(self):
        """Pulls the plug."""
        if self.process:
            self.process.kill()  # and with it, all of its processes
            self.process.stdout.read()
            self.process.wait()
            self.process.stdout.close()
            self.process = self.pid = None
            # The kernel lets go of the interfaces and mounts a moment after the last process.
            shutil.rmtree(self.top / "work", ignore_errors=True)
            (self.top / "work").mkdir(exist_ok=True)

    def popen(self, *command, env=(), **options):
        environment = {"PATH": "/sbin:/usr/sbin:/bin:/usr/bin", "TERM": "dumb", "EINFO_COLOR": "NO", "LC_ALL": "C.UTF-8",
                       "HOME": "/root", **dict(env)}
        return subprocess.Popen(
            ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--net", "--uts", "--ipc", "--root", "--wd",
             # In a session of its own, as what init and people start: one from outside has no number in there.
             "setsid", "--wait", *map(str, command)], env=environment, stdin=subprocess.DEVNULL, **options)

    def run(self, *command, status=0, timeout=60, env=()):
        """Runs a command on the machine and returns the CompletedProcess (text, both outputs together)."""
        # To a file: a daemon that keeps the descriptor must not keep us.
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            process = self.popen(*stretched(command), env=env, stdout=output, stderr=subprocess.STDOUT)
            try:
                process.wait(limit(timeout))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            output.seek(0)
            done = subprocess.CompletedProcess(command, process.returncode, output.read(), "")
        if status is not None:
            assert done.returncode == status, \
                f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}\n{self.logs()}"
        return done

    def shell(self, script, **options):
        return self.run("sh", "-c", textwrap.dedent(script), **options)

    def boot(self, *runlevels):
        """Powers on and lets OpenRC bring up runlevels: sysinit, boot and default unless told otherwise."""
        if not self.process:
            self.power_on()
        return "".join(self.run("openrc", level).stdout for level in runlevels or ("sysinit", "boot", "default"))

    @contextlib.contextmanager
    def booted(self):
        self.boot()
        try:
            yield self
        finally:
            self.power_off()

    def status(self, service):
        """"started", "stopped", "crashed", ..."""
        return re.search(r"status: (\w+)", self.run("rc-service", service, "status", status=None).stdout).group(1)

    def logs(self):
        directory = self.path("/var/log/openvswitch")
        with contextlib.suppress(OSError):
            return "".join(f"--- {file.name}\n{file.read_text(errors='replace')[-2000:]}"
                           for file in sorted(directory.glob("*.log")))
        return ""

    def pid_of(self, daemon):
        """The process of a daemon, by its pidfile."""
        return int(self.read(f"/run/openvswitch/{daemon}.pid"))

    # ---- the network

    def connect(self, interface, namespace, peer, up=True):
        """A cable from an interface of the machine to one of a namespace of netns.py."""
        subprocess.run(["ip", "link", "add", "name", interface, "netns", str(self.pid), "type", "veth",
                        "peer", "name", peer, "netns", namespace.name], check=True)
        if up:
            self.run("ip", "link", "set", interface, "up")
        namespace.run("ip", "link", "set", peer, "up")

    def wait_for(self, *command, timeout=20):
        """Waits until a command succeeds on the machine."""
        wait_until(lambda: self.run(*command, status=None).returncode == 0, timeout, " ".join(map(str, command)))
