#!/usr/bin/python3
"""Lets every allocation of every command that writes fail, by itself and with all that follow; for
test_every_allocation.py.

  AI8XSIM=build/sim/ai8xsim AI8XSIM_SOURCE=. FAIL_ALLOCATION=build/tests/cli/libfail_allocation.so \\
      tests/cli/every_allocation.py [--jobs N] [--step N [--first K]] [CASE ...]

A first run counts the allocations that a command makes after main() has begun; then the command runs once for each
of them and each way. All that may come out is

  - exit status 0 and the complete, right files: the library that asked can do without;
  - exit status 5, a message that says that memory is lacking or which file was not written, and the files as they
    were before: old ones untouched, nothing new, no temporary file;
  - a crash inside of libhdf5 or OpenBLAS, which they have of their own: the guard's message, exit status 3 (while a file
    is read: it may be the file) or 5, the files as before.
"""
import argparse
import collections
import concurrent.futures
import io
import os
import pathlib
import select
import struct
import subprocess
import sys
import tempfile

import h5py
import numpy

import every_call

SHIM = os.environ["FAIL_ALLOCATION"]
CRASHED = "library crashed"


# Reads and writes otherwise than those of every_call.py.
CASES = every_call.CASES + (
    ("run-mem", ("run", "--allow-unchecked", "--part", "MAX78000", "stimulus.mem", "--junit", "out.xml"), ("out.xml",)),
    ("check-network", ("check", "n.yaml", "--json", "out.json"), ("out.json",)),
    ("compile-numpy", ("compile", "n.yaml", "-w", "weights.npz", "--input", "sample.npy", "-o", "out.h5"), ("out.h5",)),
    ("compare", ("compare", "a.json", "b.json", "--json", "out.json"), ("out.json",)),
    ("eval-threads", ("eval", "p.h5", "--data", "data.h5", "-j2", "--json", "out.json"), ("out.json",)),
)
every_call.REPORTS |= {"run-mem", "check-network", "compare"}


def prepare(folder):
    """What the cases read."""
    every_call.prepare(folder)
    for name in ("a.json", "b.json"):
        execute(("run", "p.h5", "--json", name), folder, folder / "log")
    with h5py.File(folder / "weights.h5") as file:
        numpy.savez(folder / "weights.npz", **{f"{kind}_{k}": group[kind][()] for k, group in file["weights"].items()
                                               for kind in group})
        numpy.save(folder / "sample.npy", file["input"][()])
    with h5py.File(folder / "p.h5") as file:
        words = [int(row[name]) for row in file["program"][()] if row["kind"] == 0 for name in ("addr", "value")]
    (folder / "stimulus.mem").write_text("".join(f"@{i:04x} {word:08x}\n" for i, word in enumerate(words)))
    (folder / "log").unlink()


def execute(arguments, folder, log, number=0, after=False):
    environment = {**every_call.ENVIRONMENT, "LD_PRELOAD": SHIM, "AI8XSIM_FAIL_AT": str(number),
                   "AI8XSIM_FAIL_LOG": str(log)}
    if after:
        environment["AI8XSIM_FAIL_AFTER"] = "1"
    return subprocess.run([every_call.AI8XSIM, *map(str, arguments)], capture_output=True, text=True, errors="replace",
                          timeout=120, cwd=folder, env=environment)


def hdf5_content(data):
    content = {}

    def add(name, item):
        attributes = {key: str(value) for key, value in item.attrs.items()}
        content[name] = (attributes, item[()].tobytes() if isinstance(item, h5py.Dataset) and item.shape is not None
                         and item.dtype.kind != "O" else None)
    with h5py.File(io.BytesIO(data)) as file:
        add("/", file)
        file.visititems(add)
    return content


def whose_call(log):
    """A log is missing where the process ended by a signal or by the guard."""
    library, function = log.read_text().split()[1:] if log.exists() else ("-", "-")
    return f"{pathlib.Path(library).name} {function}"


class Sweep:
    def __init__(self, case, base, scratch):
        self.name, self.arguments, self.outputs = case
        self.base, self.scratch = base, scratch
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            folder, log = pathlib.Path(name) / "run", pathlib.Path(name) / "log"
            folder.mkdir()
            every_call.fresh(base, folder, self.outputs, True)
            self.before = every_call.contents(folder, self.outputs)
            done = execute(self.arguments, folder, log)
            if done.returncode != 0:
                raise RuntimeError(f"{self.name}: {done.stderr}")
            self.right = every_call.contents(folder, self.outputs)
            self.hdf5 = {n: hdf5_content(self.right[n]) for n in self.outputs if n.endswith(".h5")}
            self.allocations = int(log.read_text().split()[0])

    def fail(self, number, after):
        """(None or what is wrong, status, whose call failed)."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as name:
            folder, log = pathlib.Path(name) / "run", pathlib.Path(name) / "log"
            folder.mkdir()
            every_call.fresh(self.base, folder, self.outputs, True)
            result = execute(self.arguments, folder, log, number, after)
            found = every_call.contents(folder, self.outputs)
            left = every_call.strangers(self.base, folder, self.outputs)
            return self.judge(result, found, left), result.returncode, whose_call(log)

    def fail_many(self, trials):
        """As fail() for each of these, as far as copies of one process can do it (fail_allocation.c); their results."""
        results = []
        with tempfile.TemporaryDirectory(dir=self.scratch) as name:
            scratch = pathlib.Path(name)
            folder, log, told = scratch / "run", scratch / "log", scratch / "stderr"
            folder.mkdir()
            every_call.fresh(self.base, folder, self.outputs, True)
            numbers, requests = os.pipe()
            answers, states = os.pipe()
            process = subprocess.Popen([every_call.AI8XSIM, *map(str, self.arguments)], cwd=folder, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, pass_fds=(numbers, states),
                                       env={**every_call.ENVIRONMENT, "LD_PRELOAD": SHIM, "AI8XSIM_FAIL_LOG": str(log),
                                            "AI8XSIM_FAIL_STDERR": str(told), "AI8XSIM_FAIL_FORK": f"{numbers} {states}"})
            os.close(numbers)
            os.close(states)
            try:
                for number, after in trials:
                    os.write(requests, struct.pack("@L", 2 * number + after))
                    ready, _, _ = select.select([answers], [], [], 120)
                    state = os.read(answers, 4) if ready else None
                    if state is None:
                        process.kill()
                        raise RuntimeError(f"{self.name}: allocation {number} hangs")
                    if not state:
                        break
                    results.append(self.trial_result(folder, log, told, os.waitstatus_to_exitcode(*struct.unpack("@i", state))))
            except BrokenPipeError:
                pass  # no trials any more
            finally:
                os.close(requests)
                os.close(answers)
            process.wait(120)
            if len(results) < len(trials) and (process.returncode != 0 or
                                               not all(self.is_right(n, every_call.contents(folder, self.outputs))
                                                       for n in self.outputs)):
                raise RuntimeError(f"{self.name}: trials have disturbed each other")
        return results

    def trial_result(self, folder, log, told, status):
        """What fail() returns; the folder is as it was afterwards."""
        result = subprocess.CompletedProcess((), status, "", told.read_text(errors="replace"))
        found = every_call.contents(folder, self.outputs)
        left = every_call.strangers(self.base, folder, self.outputs)
        verdict = self.judge(result, found, left), status, whose_call(log)
        for name in left:
            (folder / name).unlink()
        for name in self.outputs:
            if found[name] != self.before[name]:
                (folder / name).write_bytes(every_call.OLD)
        for path in log, told:
            path.unlink(missing_ok=True)
        return verdict

    def fail_all(self, trials):
        results = self.fail_many(trials)
        return results + [self.fail(*trial) for trial in trials[len(results):]]

    def is_right(self, name, found):
        """Without memory libhdf5 leaves a data set uncompressed: other bytes, the same content."""
        if found[name] == self.right[name] or found[name] is None or not name.endswith(".h5"):
            return found[name] == self.right[name]
        return found[name] != self.before[name] and hdf5_content(found[name]) == self.hdf5[name]

    def judge(self, result, found, left):
        last = (result.stderr.strip().splitlines() or [""])[-1]
        torn = [n for n in self.outputs if not self.is_right(n, found) and found[n] != self.before[n]]
        if self.name in every_call.REPORTS and result.returncode == 5:
            torn = [n for n in torn if not every_call.is_report(found[n])]
        if torn:
            return f"status {result.returncode}: {', '.join(torn)} is neither old nor right: {last}"
        # What a crash leaves the next command removes, as after a kill; what eval has done it takes up again.
        left = [n for n in left if not n.endswith(".part") and not (n.endswith(".tmp") and CRASHED in last)]
        if left:
            return f"status {result.returncode}, left {left}: {last}"
        if result.returncode == 0:
            stale = [n for n in self.outputs if not self.is_right(n, found)]
            return f"status 0, {', '.join(stale)} missing or old" if stale else None
        if CRASHED in last and result.returncode in (3, 5):
            return None
        # libhdf5 writes past its buffer for metadata where that could not grow, and says nothing; the C library finds it.
        if self.hdf5 and result.returncode == -6 and "corrupted" in last:
            return None
        if result.returncode != 5:
            return f"status {result.returncode}: {last}"
        if not any(word in result.stderr for word in ("memory", "thread")) and not any(n in result.stderr for n in self.outputs):
            return f"status 5 without a reason: {last!r}"
        return None

    def trials(self, step, first=0):
        for i, (number, after) in enumerate((n, a) for n in range(1, self.allocations + 1) for a in (False, True)):
            if i % step == first % step:
                yield number, after


def sweep_all(names=(), jobs=2, step=1, first=0):
    """Yields (case, allocations, trials, {status: count}, [what is wrong])."""
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        base = pathlib.Path(scratch) / "base"
        base.mkdir()
        prepare(base)
        for i, case in enumerate(CASES):
            if names and case[0] not in names:
                continue
            sweep = Sweep(case, base, scratch)
            # An odd step reaches both ways; each case begins elsewhere.
            trials = list(sweep.trials(step, first + i))
            parts = [trials[k::jobs] for k in range(jobs)]
            done = dict(zip((t for part in parts for t in part),
                            (result for results in pool.map(sweep.fail_all, parts) for result in results)))
            results = [done[trial] for trial in trials]
            wrong = [f"allocation {number}{' and all that follow' if after else ''} ({whose}): {bad}"
                     for (number, after), (bad, _, whose) in zip(trials, results) if bad is not None]
            yield case[0], sweep.allocations, len(trials), collections.Counter(status for _, status, _ in results), wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--step", type=int, default=1, help="every N-th of the trials only")
    parser.add_argument("--first", type=int, default=0, help="which of the N, so that 0 to N - 1 are all of them")
    options = parser.parse_args()
    return every_call.tell((f"{name}: {allocations} allocations, {trials} trials, statuses {dict(sorted(statuses.items()))}", wrong)
                           for name, allocations, trials, statuses, wrong
                           in sweep_all(options.cases, options.jobs, options.step, options.first))


if __name__ == "__main__":
    sys.exit(main())
