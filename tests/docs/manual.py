"""Reads the manual pages: what they describe, and their examples.

A page is mdoc(7) source.  What the tests need of it is simple: the heads of its list items, where
"Ic" stands before a command and "Fl" before an option, and its examples.

An example that a test runs follows a line of its own:

    .\\" run                   in a private directory
    .\\" run server            the same, beside a server with an empty database of the switch
    .\\" run namespace         in a network namespace of its own, as root there
    .\\" run switch            in such a namespace, beside a server and ovs-vswitchd
    .\\" run server namespace  in such a namespace, beside a server
    .\\" run tls               where the programs were built with TLS
    .\\" $ command             run before, and not shown: what the text supposes
    .Bd -literal -offset indent
    $ command                 a line with a prompt is a command, lines that complete it follow,
    output                    the others are what it prints
    .Ed

The examples of a page run one after the other in the same directory; variables stay for later commands.  In Markdown a code block is
an example if the line before it is <!-- run -->, <!-- run server --> and so on.  UUIDs and times differ from
run to run, so any will do in their place.
"""

import os
import re
import shlex
import signal
from dataclasses import dataclass
from pathlib import Path

import ovs_test

MAN = ovs_test.SOURCE_DIR / "man"


def pages():
    """All pages: those of the source, and the one that the build makes."""
    found = sorted(p for p in MAN.iterdir() if re.fullmatch(r".+\.[1-8]", p.name))
    generated = "ovs-vswitchd.conf.db.5"
    if generated not in {p.name for p in found}:
        found.append(ovs_test.build_dir() / "man" / generated)
    return found


def page(name):
    return next(p for p in pages() if p.name == name)


# ------------------------------------------------------------------ what a page describes

def sections(path):
    """The lines of a page by the name of their section (.Sh) or subsection (.Ss)."""
    found, name = {}, ""
    for line in path.read_text().splitlines():
        if match := re.match(r"\.S[hs] (.*)", line):
            name = match[1]
        found.setdefault(name, []).append(line)
    return found


def item_heads(lines):
    """The heads of list items, each as a list of words."""
    heads, head, open_block = [], None, False
    for line in lines:
        if line.startswith(".It ") or line == ".It":
            words = line.split()[1:]
            open_block = words == ["Xo"]
            head = [] if open_block else words
            heads.append(head)
        elif open_block:
            if line.startswith(".Xc"):
                open_block = False
            else:
                head.extend(line.lstrip(".").split())
    return heads


def described_commands(path, control=False):
    """The names of the commands that the page describes, or those of the program's control socket
    where it has commands of its own as well."""
    lines = [line for name, lines in sections(path).items() for line in lines
             if (name == "Control commands") == control]
    return {head[i + 1] for head in item_heads(lines) for i, w in enumerate(head[:-1]) if w == "Ic"}


def described_arguments(path):
    """What has to be typed as it is in the arguments of the commands that the page describes: options,
    and the keys of key=value, as {command: {"--names", "filter=", ...}}."""
    commands = {}
    for head in item_heads(path.read_text().splitlines()):
        if head[:1] != ["Ic"]:
            continue
        literals = commands.setdefault(head[1], set())
        macro = ""
        for i, word in enumerate(head[2:], 2):
            if word in ("Ar", "Cm", "Fl", "Oo", "Oc", "Op", "Ns"):
                macro = word
            elif macro == "Fl" and word != "|":
                literals.add("-" + word)
            elif macro == "Cm" and word.startswith("-"):
                literals.add(word)
            elif macro == "Cm" and head[i + 1:i + 3] == ["Ns", "="]:
                literals.add(word + "=")
    return commands


def help_arguments(text):
    """The same of the output of list-commands."""
    return {line.split()[0]: set(re.findall(r"(?<![\w-])(?:--?[a-z][\w-]*|[a-z]\w*=)", line))
            for line in text.splitlines() if line.startswith("  ")}


def described_options(path):
    """The long options that the page describes, with their dashes."""
    return {"-" + head[i + 1] for head in item_heads(path.read_text().splitlines()) for i, w in enumerate(head[:-1])
            if w == "Fl" and head[i + 1].startswith("-")}


def references(path):
    """The manual pages that the page refers to, as (name, section)."""
    return set(re.findall(r"(?m)^\.(?:It )?Xr (\S+) (\d)", path.read_text()))


def help_options(text):
    """The long options of a --help text."""
    return set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text))


def help_commands(text):
    """The commands of a --help text: lines with an indent of two, options in brackets first."""
    return {match[1] for line in text.splitlines()
            if (match := re.match(r"  (?:\[[^\]]*\] )*([a-z][\w/-]*)(?: |$)", line))}


# ------------------------------------------------------------------ examples

@dataclass
class Step:
    command: str
    output: str


@dataclass
class Example:
    line: int       # in the page
    wants: set      # of "server", "namespace", "switch", "tls"
    steps: list


def _complete(command):
    if command.endswith("\\"):
        return False
    try:
        shlex.split(command)
        return True
    except ValueError:  # an open quote
        return False


def _steps(lines, where):
    steps = []
    for line in lines:
        if line.startswith("$ "):
            steps.append(Step(line[2:], ""))
        elif not steps:
            raise AssertionError(f"{where}: the example does not begin with a command")
        elif not steps[-1].output and not _complete(steps[-1].command):
            steps[-1].command += "\n" + line
        else:
            steps[-1].output += line + "\n"
    return steps


def _mdoc_text(line):
    line = line.replace(r"\&", "").replace(r"\-", "-").replace(r"\e", "\\")
    return line


def examples(path):
    """The examples of a manual page or of a Markdown text that are marked to be run."""
    lines = path.read_text().splitlines()
    if path.suffix == ".md":
        mark, begin, end, text = r"<!-- run((?: server| namespace| switch| tls)*) -->", r"```.*", "```", str
    else:
        mark, begin, end, text = r'\.\\" run((?: server| namespace| switch| tls)*)', r"\.Bd -literal.*", ".Ed", _mdoc_text
    found = []
    for number, line in enumerate(lines):
        match = re.fullmatch(mark, line)
        if not match:
            continue
        where = f"{path.name}:{number + 1}"
        start, steps = number + 1, []
        while lines[start].startswith('.\\" $ '):
            steps.append(Step(lines[start][len('.\\" $ '):], ""))
            start += 1
        assert re.fullmatch(begin, lines[start]), f"{where}: no example follows"
        stop = lines.index(end, start + 1)
        found.append(Example(number + 1, set(match[1].split()),
                             steps + _steps(map(text, lines[start + 1:stop]), where)))
    return found


def normalize(text):
    """Replaces what differs from run to run."""
    text = re.sub(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "<time>", text)
    text = re.sub(r"\brow [0-9a-f]{8}\b", "row <uuid>", text)  # of ovsdb-tool show-log
    return ovs_test.normalize_uuids(text).rstrip()


def environment(box):
    build = ovs_test.build_dir()
    return {**box.env, "PATH": f"{build}/utilities:{build}/src/dbserver:{build}/src/vswitchd:"
                                f"{os.environ['PATH']}",
            "OVS_PKGDATADIR": str(ovs_test.SCHEMA.parent)}


def _answers(box, name):
    return any(ovs_test.answers(path) for path in box.run_dir.glob(f"{name}.*.ctl"))


def start_server(box):
    """The server that examples may use: as a user of the installed one would find it."""
    box.create_database()
    socket = box.run_dir / "db.sock"
    box.start("ovsdb-server", box.db_dir / "conf.db", "--remote=punix:db.sock", "--pidfile",
              "--log-file", "--no-chdir", ready=lambda: ovs_test.can_connect(socket) and _answers(box, "ovsdb-server"))


def start_switch(box):
    """The switch daemon that examples may use, beside the server."""
    box.start("ovs-vswitchd", "--pidfile", "--log-file", "--no-chdir",
              ready=lambda: _answers(box, "ovs-vswitchd"))


def stop_daemons(box):
    """Ends what an example started in the background and did not end."""
    for pidfile in Path(box.run_dir).glob("*.pid"):
        try:
            os.kill(int(pidfile.read_text()), signal.SIGTERM)
        except (ValueError, FileNotFoundError, ProcessLookupError):
            pass
