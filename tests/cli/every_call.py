#!/usr/bin/python3
"""Lets every system call of every command that writes fail, or kills the process there; for test_every_call.py.

  AI8XSIM=build/sim/ai8xsim AI8XSIM_SOURCE=. tests/cli/every_call.py [--jobs N] [--step N] [CASE ...]

A first pass lists the calls that a command makes after its start; then the command runs once for each of them and
each error (strace injects it), and twice where it is killed there. All that may come out is

  - exit status 0 and the complete, right files;
  - exit status 5, a message that names the file or says what is lacking, and the files as they were before: old
    ones untouched, nothing new, no temporary file;
  - after a kill: the files as they were or complete, and the same command again finishes with the right ones and
    leaves no temporary file.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import h5py

AI8XSIM = os.environ["AI8XSIM"]
SOURCE = pathlib.Path(os.environ["AI8XSIM_SOURCE"])
ERRORS = ("ENOSPC", "EIO", "EINTR", "ENOMEM")
# Calls that fail only for wrong arguments, or by which the C library speaks with the kernel and ends the process when it lies.
SURE = {"futex", "munmap", "exit", "exit_group", "sched_yield", "rt_sigreturn", "rt_sigprocmask", "set_robust_list", "rseq",
        "gettid", "getpid"}
# BLAS, which libraries bring along, would start threads that do nothing. The leak checker is a tracer itself.
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "ASAN_OPTIONS": "detect_leaks=0",
               "GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}
OLD = b"what was here before\n"
DESCRIPTION = """arch: n
dataset: n
layers:
  - {name: one, processors: 1, in_channels: 1, in_dim: [4, 4], out_channels: 4, operation: conv2d, kernel_size: 3x3, pad: 1}
  - {name: two, op: linear, flatten: true, out_channels: 2}
"""
SPECIFICATION = "network: n.yaml\nparameters:\n  part: [MAX78000, MAX78002]\n  one.out_channels: [4, 8]\n"
RANDOM = ("n.yaml", "--random", "1")

# These write what went wrong with a program, too.
REPORTS = {"run-json", "check-json", "info-json"}

# Name, arguments, files that come out. All run in a folder of their own.
CASES = (
    ("compile", ("compile", *RANDOM, "-o", "out.h5", "--write-yaml", "out.yaml", "--save-weights", "w.h5"),
     ("out.h5", "out.yaml", "w.h5")),
    ("compile-weights", ("compile", "n.yaml", "-w", "weights.h5", "-o", "out.h5"), ("out.h5",)),
    ("run-dump", ("run", "p.h5", "--dump", "out.h5"), ("out.h5",)),
    ("run-json", ("run", "p.h5", "--json", "out.json"), ("out.json",)),
    ("profile-html", ("profile", "p.h5", "--html", "out.html"), ("out.html",)),
    ("profile-json", ("profile", "n.yaml", "--json", "out.json"), ("out.json",)),
    ("map-svg", ("map", "p.h5", "--svg", "out.svg"), ("out.svg",)),
    ("trace-vcd", ("trace", "p.h5", "-o", "out.vcd"), ("out.vcd",)),
    ("trace-json", ("trace", "p.h5", "-o", "out.json"), ("out.json",)),
    ("trace-csv", ("trace", "p.h5", "-o", "out.csv"), ("out.csv",)),
    ("eval", ("eval", "p.h5", "--data", "data.h5", "-j1", "-o", "out.h5"), ("out.h5",)),
    ("eval-json", ("eval", "p.h5", "--data", "data.npz", "-j1", "--json", "out.json"), ("out.json",)),
    ("sweep-hdf5", ("sweep", "s.yaml", "-j1", "-o", "out.h5"), ("out.h5",)),
    ("sweep-csv", ("sweep", "s.yaml", "-j1", "--csv", "out.csv"), ("out.csv",)),
    ("sweep-html", ("sweep", "s.yaml", "-j1", "--html", "out.html"), ("out.html",)),
    ("golden", ("golden", *RANDOM, "-o", "out.h5"), ("out.h5",)),
    ("show", ("show", "p.h5", "-o", "out.html"), ("out.html",)),
    ("check-json", ("check", "p.h5", "--json", "out.json"), ("out.json",)),
    ("info-json", ("info", "p.h5", "--json", "out.json"), ("out.json",)),
)


def execute(arguments, folder, injection=None):
    trace = []
    if injection is not None:
        call, action, when = injection
        # Without its filter strace stops at every call; but with it a signal comes too late.
        fast = [] if action.startswith("signal") else ["--seccomp-bpf"]
        trace = ["strace", "-f", "-qq", *fast, "-o", "/dev/null", "-e", "signal=none", "-e", f"trace={call}", "-e",
                 f"inject={call}:{action}:when={when}"]
    return subprocess.run([*trace, AI8XSIM, *map(str, arguments)], capture_output=True, text=True, errors="replace",
                          timeout=120, cwd=folder, env=ENVIRONMENT)


def prepare(folder):
    """What the cases read."""
    import numpy
    (folder / "n.yaml").write_text(DESCRIPTION)
    (folder / "s.yaml").write_text(SPECIFICATION)
    made = execute(("compile", *RANDOM, "-q", "-o", "p.h5", "--save-weights", "weights.h5"), folder)
    if made.returncode != 0:
        raise RuntimeError(made.stderr)
    inputs = (numpy.arange(8 * 16).reshape(8, 1, 4, 4) * 37 % 251 - 125).astype(numpy.int8)
    labels = numpy.arange(8) % 2
    with h5py.File(folder / "data.h5", "w") as file:
        file["input"], file["labels"] = inputs, labels
    numpy.savez(folder / "data.npz", input=inputs, labels=labels)


def list_calls(case, folder):
    """Every call after the start: [(name, number among its kind), ...], and how many cannot be told apart from those
    of the loader (of another thread, with a number that the loader has used)."""
    log = folder / "calls"
    subprocess.run(["strace", "-f", "-qq", "-o", log, AI8XSIM, *case[1]], cwd=folder, capture_output=True, env=ENVIRONMENT,
                   check=True)
    main, started, seen, before, calls, out_of_reach = None, False, {}, {}, [], 0
    for line in log.read_text(errors="replace").splitlines():
        match = re.match(r"(\d+) +(\w+)\((.*)", line)
        if match is None:
            continue
        thread, name, rest = match.groups()
        main = main or thread
        seen[thread, name] = seen.get((thread, name), 0) + 1
        if not started and name == "fcntl" and rest.startswith("0, F_GETFD"):
            started = True  # the first call of main()
            before = {called: count for (_, called), count in seen.items()}
            before["fcntl"] -= 1
        elif not started:
            continue
        if thread != main and seen[thread, name] <= before.get(name, 0):
            out_of_reach += 1
        elif (name, seen[thread, name]) not in calls:
            calls.append((name, seen[thread, name]))
    log.unlink()
    return calls, out_of_reach


def steady(data):
    """What does not differ from run to run: all but times."""
    data = re.sub(rb'("(?:\w+_)?seconds"): [-+.e0-9]+', rb"\1: 0", data)
    return re.sub(rb' time="[.0-9]+"', b"", data)


def contents(folder, names):
    return {name: steady((folder / name).read_bytes()) if (folder / name).exists() else None for name in names}


def fresh(base, folder, names, old):
    """A folder as it was before the command."""
    for path in folder.iterdir():
        path.unlink()
    for path in base.iterdir():
        os.link(path, folder / path.name)
    for name in names if old else ():
        (folder / name).write_bytes(OLD)


def strangers(base, folder, names):
    return sorted(path.name for path in folder.iterdir() if path.name not in names and not (base / path.name).exists())


def is_report(text):
    """A whole one, of something that failed."""
    if text is not None and text.startswith(b"<?xml"):
        return text.endswith(b"</testsuite>\n")
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


class Sweep:
    def __init__(self, case, base, scratch, old=True):
        self.name, self.arguments, self.outputs = case
        self.case, self.base, self.scratch, self.old = case, base, scratch, old
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            folder = pathlib.Path(name)
            fresh(base, folder, self.outputs, old)
            self.calls, self.out_of_reach = list_calls(case, folder)
            fresh(base, folder, self.outputs, old)
            done = execute(self.arguments, folder)
            if done.returncode != 0:
                raise RuntimeError(f"{self.name}: {done.stderr}")
            self.right = contents(folder, self.outputs)
            fresh(base, folder, self.outputs, old)
            self.before = contents(folder, self.outputs)

    def fail(self, call, number, error):
        """None, or what is wrong when this call gives this error."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as name:
            folder = pathlib.Path(name)
            fresh(self.base, folder, self.outputs, self.old)
            # brk() tells of a failure by the end of the heap that it returns, whatever the error.
            action = "retval=0" if call == "brk" else f"error={error}"
            result = execute(self.arguments, folder, (call, action, number))
            found, left = contents(folder, self.outputs), strangers(self.base, folder, self.outputs)
            # Each file is there whole or as it was; status 0 promises all of them.
            torn = [n for n in self.outputs if found[n] not in (self.right[n], self.before[n])]
            if self.name in REPORTS and result.returncode == 5:
                torn = [n for n in torn if not is_report(found[n])]  # of what failed
                found = self.before
            last = result.stderr.strip().splitlines()[-1:] or [""]
            if torn:
                return f"status {result.returncode}: {', '.join(torn)} is neither old nor right: {last[0]}"
            if result.returncode == 0:
                return None if found == self.right and not left else f"status 0, files {left or 'missing or old'}"
            if result.returncode != 5:
                return f"status {result.returncode}: {last[0]}"
            if set(left) - {f"{n}.part" for n in self.outputs} and call != "unlink":
                return f"status 5, left {left}: {last[0]}"
            if found != self.before and not (len(self.outputs) > 1 or "standard output" in result.stderr):
                return f"status 5, but the file is there: {last[0]}"
            if not re.search(r"memory|thread|standard output|" + "|".join(map(re.escape, (*self.outputs, *self.arguments[1:]))),
                             result.stderr):
                return f"status 5 without the name of a file: {last[0]!r}"
        return None

    def kill(self, call, number):
        with tempfile.TemporaryDirectory(dir=self.scratch) as name:
            folder = pathlib.Path(name)
            fresh(self.base, folder, self.outputs, self.old)
            result = execute(self.arguments, folder, (call, "signal=KILL", number))
            if result.returncode == 0 and contents(folder, self.outputs) == self.right:
                return None  # the call does not always come
            if result.returncode not in (-9, 137):
                return f"not killed: {result.returncode}"
            found = contents(folder, self.outputs)
            torn = [n for n in self.outputs if found[n] not in (self.right[n], self.before[n])]
            if torn:
                return f"{', '.join(torn)} is neither old nor right"
            again = execute(self.arguments, folder)
            left = strangers(self.base, folder, self.outputs)
            if again.returncode != 0 or contents(folder, self.outputs) != self.right:
                return f"again: status {again.returncode}: {again.stderr[-200:]}"
            if left:
                return f"again: left {left}"
        return None

    def trials(self, step=1, kill=True):
        for i, (call, number) in enumerate(self.calls):
            if call not in SURE:
                for k, error in enumerate(ERRORS):
                    if (i + k) % step == 0:
                        yield f"{call} {number} {error}", self.fail, (call, number, error)
            if kill and i % step == 0:
                yield f"{call} {number} killed", self.kill, (call, number)


def sweep_all(names=(), jobs=2, step=1, old=True):
    """Yields (case, calls, out of reach, trials, [what is wrong])."""
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        base = pathlib.Path(scratch) / "base"
        base.mkdir()
        prepare(base)
        for case in CASES:
            if names and case[0] not in names:
                continue
            sweep = Sweep(case, base, scratch, old)
            trials = list(sweep.trials(step))
            results = pool.map(lambda trial: trial[1](*trial[2]), trials)
            wrong = [f"{trial[0]}: {result}" for trial, result in zip(trials, results) if result is not None]
            yield case[0], len(sweep.calls), sweep.out_of_reach, len(trials), wrong


def tell(summaries):
    """Prints [(summary, [what is wrong]), ...] as they come; the exit status."""
    bad = 0
    for summary, wrong in summaries:
        print(f"{summary}, {len(wrong)} wrong", flush=True)
        for line in wrong:
            print(f"  {line}", flush=True)
        bad += len(wrong)
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--step", type=int, default=1, help="every N-th of the trials only")
    parser.add_argument("--new", action="store_true", help="without old files in the place of the outputs")
    options = parser.parse_args()
    return tell((f"{name}: {calls} calls ({out_of_reach} more out of reach), {trials} trials", wrong)
                for name, calls, out_of_reach, trials, wrong
                in sweep_all(options.cases, options.jobs, options.step, not options.new))


if __name__ == "__main__":
    sys.exit(main())
