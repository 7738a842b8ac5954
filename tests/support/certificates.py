"""Certificate authorities, keys and certificates for tests of TLS, made with the openssl command."""

import subprocess
from pathlib import Path


def openssl(*words, **more):
    """Runs openssl; its output."""
    return subprocess.run(["openssl", *map(str, words)], check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **more).stdout


def new_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", path)
    return path


class Identity:
    """A key and its certificate."""

    def __init__(self, key, certificate, ca):
        self.key, self.certificate, self.ca = key, certificate, ca

    def options(self, ca=None, bootstrap=False):
        """For our programs and for the packaged ones."""
        ca_option = "--bootstrap-ca-cert" if bootstrap else "--ca-cert"
        return [f"--private-key={self.key}", f"--certificate={self.certificate}",
                f"{ca_option}={ca or self.ca.certificate}"]


class Authority:
    """A certificate authority in a directory of its own."""

    def __init__(self, directory, name="ca"):
        self.directory = Path(directory) / name
        self.directory.mkdir()
        self.name = name
        self.key = new_key(self.directory / "ca-key.pem")
        self.certificate = self.directory / "ca-cert.pem"
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.certificate, "-days", "30",
                "-subj", f"/CN={name}")
        self.configuration = self.directory / "ca.cnf"
        (self.directory / "index.txt").touch()
        self.configuration.write_text(f"""\
[ca]
default_ca = c
[c]
dir = {self.directory}
database = $dir/index.txt
new_certs_dir = $dir
rand_serial = yes
unique_subject = no
default_md = sha256
policy = p
x509_extensions = e
[p]
commonName = supplied
[e]
basicConstraints = CA:FALSE
""")

    def issue(self, name, begin=None, end=None):
        """An Identity; `begin` and `end` are times such as 20200101000000Z."""
        key = new_key(self.directory / f"{name}-key.pem")
        return Identity(key, self.certify(key, name, self.directory / f"{name}-cert.pem", begin, end), self)

    def certify(self, key, name, path, begin=None, end=None):
        """A certificate for `key` in the file `path`, which is replaced at once."""
        request, made = self.directory / f"{name}.csr", self.directory / f"{name}.new"
        openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/CN={name}")
        times = ["-startdate", begin] if begin else []
        times += ["-enddate", end] if end else ["-days", "30"]
        openssl("ca", "-batch", "-notext", "-config", self.configuration, "-keyfile", self.key, "-cert",
                self.certificate, "-in", request, "-out", made, *times)
        made.rename(path)
        return path
