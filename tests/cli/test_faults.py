"""What must hold when files are the same, links, locked, cut short, or when a process is killed or a call fails."""

import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
SOURCE = pathlib.Path(os.environ["AI8XSIM_SOURCE"])
DIGITS = SOURCE / "models" / "digits"
PROGRAM = DIGITS / "digits.h5"
OK, USAGE, BAD_INPUT, RESOURCES, UNCHECKED = 0, 2, 3, 5, 6
STRACE = shutil.which("strace")


def ai8xsim(*arguments, **more):
    return subprocess.run([AI8XSIM, *map(str, arguments)], capture_output=True, text=True, timeout=120, **more)


class Faults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def path(self, name):
        return self.folder / name

    def data(self, count=40):
        with h5py.File(DIGITS / "heldout.h5") as file:
            images, labels = file["images"][:count], file["labels"][:count]
        with h5py.File(self.path("data.h5"), "w") as file:
            file["input"], file["labels"] = images, labels
        return self.path("data.h5")

    def injected(self, calls, action, *arguments):
        command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:{action}"]
        # The leak checker traces the process itself, which works under no other tracer.
        return subprocess.run([*command, AI8XSIM, *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})

    def test_input_is_never_output(self):
        data = self.data()
        network, weights = self.path("n.yaml"), self.path("n.h5")
        shutil.copy(DIGITS / "digits.yaml", network)
        shutil.copy(DIGITS / "weights.h5", weights)
        shutil.copy(DIGITS / "weights.h5", self.path("weights.h5"))  # which the description names
        program = self.path("p.h5")
        shutil.copy(PROGRAM, program)
        link, hard = self.path("link"), self.path("hard")
        link.symlink_to(data)
        os.link(data, hard)
        (self.path("loop")).symlink_to(self.folder)
        cases = [
            ["eval", PROGRAM, "--data", data, "-o", data],
            ["eval", PROGRAM, "--data", data, "-o", link],
            ["eval", PROGRAM, "--data", data, "-o", hard],
            ["eval", PROGRAM, "--data", data, "--json", self.path("loop") / "data.h5"],
            ["compile", network, "-w", weights, "-o", weights],
            ["compile", network, "-w", weights, "-o", network],
            ["compile", network, "-w", weights, "-o", self.path("a"), "--write-yaml", self.path("loop") / "a"],
            ["compile", network, "-w", weights, "-o", self.path("a"), "--save-weights", weights],
            ["compile", network, "-o", self.path("weights.h5")],
            ["golden", network, "-o", self.path("weights.h5")],
            ["profile", network, "--json", self.path("weights.h5")],
            ["golden", network, "-w", weights, "-o", weights],
            ["golden", network, "-w", weights, "-o", network],
            ["run", program, "--dump", program],
            ["run", program, "--json", program],
            ["run", self.folder, "--json", program],
            ["check", self.folder, "--json", program],
            ["info", program, "--json", program],
            ["profile", program, "--html", program],
            ["profile", program, "--html", self.path("b"), "--json", self.path("b")],
            ["map", program, "--svg", program],
            ["sweep", network, "--csv", network],
        ]
        before = {file: file.read_bytes() for file in self.folder.iterdir() if file.is_file()}
        for case in cases:
            with self.subTest(case=case):
                result = ai8xsim(*case)
                self.assertEqual(result.returncode, USAGE, result.stderr)
                self.assertEqual({f: f.read_bytes() for f in self.folder.iterdir() if f.is_file()}, before)

    def test_default_output_spares_the_weights(self):
        # The default is the network's name: here that of the weights.
        network = self.path("net.yaml")
        text = (DIGITS / "digits.yaml").read_text()
        network.write_text("".join(line for line in text.splitlines(True) if not line.startswith("weights:")))
        shutil.copy(DIGITS / "weights.h5", self.path("digits.h5"))
        before = self.path("digits.h5").read_bytes()
        result = ai8xsim("compile", "net.yaml", "-w", "digits.h5", cwd=self.folder)
        self.assertEqual(self.path("digits.h5").read_bytes(), before, result.stdout + result.stderr)
        self.assertIn(result.returncode, (OK, USAGE), result.stderr)

    def test_no_descriptors_is_no_damage(self):
        for i in range(8):
            shutil.copy(PROGRAM, self.path(f"p{i}.h5"))
        limits = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))
        result = ai8xsim("run", "-j", 8, self.folder, preexec_fn=limits)
        self.assertIn(result.returncode, (OK, RESOURCES), result.stderr)
        self.assertNotIn("damaged", result.stderr)

    def test_hardened(self):
        if shutil.which("readelf") is None:
            self.skipTest("readelf is not there")
        for file in [AI8XSIM, *pathlib.Path(AI8XSIM).parents[1].glob("lib/libai8xsim.so.?")]:
            with self.subTest(file=file):
                text = subprocess.run(["readelf", "-Wlds", str(file)], capture_output=True, text=True).stdout
                self.assertIn("GNU_RELRO", text)
                self.assertRegex(text, r"BIND_NOW|FLAGS.*NOW")
                self.assertIn("__stack_chk_fail", text)

    def test_pipes_and_no_names(self):
        """A pipe that nobody writes to is no file: nothing waits for it. An empty name is a mistake."""
        pipe = self.path("pipe")
        os.mkfifo(pipe)
        for command in (("run", pipe), ("check", pipe), ("info", pipe), ("trace", pipe, "-o", self.path("t.vcd")),
                        ("profile", pipe), ("profile", PROGRAM, "--baseline", pipe), ("map", pipe),
                        ("show", pipe, "-o", self.path("s.html")), ("compile", pipe), ("sweep", pipe),
                        ("eval", PROGRAM, "--data", pipe), ("compare", pipe, pipe)):
            result = ai8xsim(*command)
            self.assertEqual(result.returncode, BAD_INPUT, command)
            self.assertIn("not a regular file", result.stderr, command)
        for command in (("eval", PROGRAM, "--data", self.data(), "-o", ""), ("run", PROGRAM, "--json", ""),
                        ("show", PROGRAM, "-o", ""), ("compile", DIGITS / "digits.yaml", "-o", "")):
            result = ai8xsim(*command, cwd=self.folder)
            self.assertEqual(result.returncode, USAGE, command)
            self.assertIn("empty", result.stderr, command)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"pipe", "data.h5"})

    @unittest.skipUnless(STRACE, "strace is missing")
    def test_golden_starts_no_thread(self):
        """OpenBLAS waits for ever for a thread that found no memory."""
        log = self.path("log")
        environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_NUM_THREADS"}
        subprocess.run(["strace", "-f", "-o", log, "-e", "trace=clone,clone3", AI8XSIM, "golden", DIGITS / "digits.yaml",
                        "--random", "1"], capture_output=True, timeout=120, check=True,
                       env={**environment, "ASAN_OPTIONS": "detect_leaks=0"})
        self.assertNotIn("clone", log.read_text())

    def test_modes_and_links_stay(self):
        secret, link = self.path("secret.json"), self.path("link.json")
        secret.write_text("old")
        secret.chmod(0o600)
        link.symlink_to("not-there-yet.json")
        for output in (secret, link):
            self.assertEqual(ai8xsim("run", PROGRAM, "--json", output).returncode, OK)
        self.assertEqual(secret.stat().st_mode & 0o777, 0o600)
        self.assertTrue(link.is_symlink())
        self.assertTrue(self.path("not-there-yet.json").is_file())

    def test_unchecked(self):
        network = self.path("n.yaml")
        network.write_text("arch: n\ndataset: n\nlayers:\n  - processors: 1\n    in_channels: 1\n    in_dim: [4, 4]\n"
                           "    out_channels: 4\n    operation: conv2d\n    kernel_size: 3x3\n    pad: 1\n")
        made = ai8xsim("compile", network, "-o", self.path("p.h5"))
        self.assertEqual(made.returncode, OK, made.stderr)
        result = ai8xsim("run", self.path("p.h5"))
        self.assertEqual(result.returncode, UNCHECKED)
        self.assertIn("nothing to check", result.stdout + result.stderr)
        self.assertEqual(ai8xsim("run", "--allow-unchecked", self.path("p.h5")).returncode, OK)

    def test_names_do_not_steer_the_terminal(self):
        network = self.path("n.yaml")
        network.write_text('arch: "n\\e]0;x\\a"\ndataset: n\nlayers:\n  - name: "a\\e[31m\\x9b31m\\x07"\n    processors: 1\n'
                           "    in_channels: 1\n    in_dim: [4, 4]\n    out_channels: 4\n    operation: conv2d\n"
                           "    kernel_size: 3x3\n    pad: 1\n")
        for case in (["compile", network, "--random", 1, "-o", self.path("p.h5")], ["profile", network],
                     ["golden", network, "--random", 1], ["map", network], ["run", self.path("p.h5")]):
            with self.subTest(case=case):
                result = ai8xsim(*case)
                self.assertIn(result.returncode, (OK, UNCHECKED), result.stderr)
                text = result.stdout + result.stderr
                self.assertFalse([c for c in text if ord(c) < 32 and c != "\n" or 0x7f <= ord(c) < 0xa0], text)

    def test_eval_in_use(self):
        data = self.data()
        output = self.path("r.h5")
        part = self.path("r.h5.part")
        if STRACE is None:
            self.skipTest("strace is not there")
        # Killed in its midst, it leaves a file to go on with; held by another process, it is refused.
        self.injected("rename", "signal=KILL:when=1", "eval", PROGRAM, "--data", data, "-j1", "-o", output)
        self.assertTrue(part.exists())
        import fcntl
        import struct
        with open(part, "r+b") as held:
            fcntl.fcntl(held, 37, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
            busy = ai8xsim("eval", PROGRAM, "--data", data, "-o", output)
            self.assertEqual(busy.returncode, RESOURCES)
            self.assertIn("in use", busy.stderr)
            self.assertTrue(part.exists())
        self.assertEqual(ai8xsim("eval", PROGRAM, "--data", data, "-o", output).returncode, OK)

    def begun(self, data, output, delay):
        """An evaluation that is held up for `delay` microseconds at every read of its data, and its .part file."""
        command = [STRACE, "-f", "-o", "/dev/null", "-e", "trace=pread64", "-e", f"inject=pread64:delay_enter={delay}",
                   AI8XSIM, "eval", str(PROGRAM), "--data", str(data), "-j1", "-o", str(output)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        part = pathlib.Path(f"{output}.part")
        while process.poll() is None and not part.exists():
            time.sleep(0.001)
        return process, part

    def test_the_second_leaves_the_first_alone(self):
        if STRACE is None:
            self.skipTest("strace is not there")
        data, output = self.data(400), self.path("r.h5")
        first, part = self.begun(data, output, 3000)
        # With its tracer stopped, the first one waits at its next read.
        first.send_signal(signal.SIGSTOP)
        try:
            for more in ([], ["--restart"]):
                second = ai8xsim("eval", PROGRAM, "--data", data, "-j1", "-o", output, *more)
                self.assertIsNone(first.poll())
                self.assertEqual(second.returncode, RESOURCES, second.stderr)
                self.assertIn("in use", second.stderr)
                self.assertTrue(part.exists())
        finally:
            first.send_signal(signal.SIGCONT)
        _, err = first.communicate(timeout=120)
        self.assertEqual(first.returncode, OK, err)
        with h5py.File(output) as file:
            self.assertTrue(file["done"][()].all())
        self.assertEqual(list(self.folder.glob("r.h5.*")), [])

    def test_many_at_once(self):
        """Whoever is first computes; all others say so; what is there in the end is whole."""
        data, output = self.data(40), self.path("r.h5")
        command = [AI8XSIM, "eval", str(PROGRAM), "--data", str(data), "-j1", "-o", str(output)]
        for _ in range(3):
            all_of_them = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                           for _ in range(6)]
            codes = []
            for process in all_of_them:
                _, err = process.communicate(timeout=120)
                codes.append(process.returncode)
                self.assertIn(process.returncode, (OK, RESOURCES), err)
                if process.returncode == RESOURCES:
                    self.assertIn("in use", err)
            self.assertIn(OK, codes)
            with h5py.File(output) as file:
                self.assertTrue(file["done"][()].all())
            self.assertEqual(list(self.folder.glob("r.h5.*")), [])
            output.unlink()

    def test_data_that_is_overwritten(self):
        if STRACE is None:
            self.skipTest("strace is not there")
        data, output = self.data(400), self.path("r.h5")
        process, _ = self.begun(data, output, 3000)
        with open(data, "r+b") as file:
            file.seek(4000)
            file.write(b"\x7f" * 3000)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, BAD_INPUT, out + err)
        self.assertIn("changed while it was read", err)
        self.assertNotIn("accuracy", out)
        self.assertFalse(output.exists())

    def test_dead_writers_leave_nothing(self):
        if STRACE is None:
            self.skipTest("strace is not there")
        shutil.copy(PROGRAM, self.path("p.h5"))
        output = self.path("out.json")
        for _ in range(3):
            self.injected("rename", "signal=KILL:when=1", "run", self.path("p.h5"), "--json", output)
        # Each writer removes what the one before it left; names that only look alike stay.
        self.assertEqual(len(list(self.folder.glob("out.json.*.tmp"))), 1)
        for name in "out.json.tmp", "out.json.0123456789abcdeg.tmp", "other.json.0123456789abcdef.tmp":
            self.path(name).write_text("of somebody else")
        self.assertEqual(ai8xsim("run", self.path("p.h5"), "--json", output).returncode, OK)
        self.assertEqual(sorted(p.name for p in self.folder.glob("*.tmp")),
                         ["other.json.0123456789abcdef.tmp", "out.json.0123456789abcdeg.tmp", "out.json.tmp"])

    def outcomes(self, make, target, calls, actions):
        """Runs `make` with each call failing or killed in turn; yields results until the call no longer comes."""
        for action in actions:
            for when in range(1, 400, int(os.environ.get("AI8XSIM_FAULT_STEP", "7"))):
                target.unlink(missing_ok=True)
                result = self.injected(calls, f"{action}:when={when}", *make)
                yield action, when, result
                if result.returncode == OK and when > 1:
                    break

    def test_a_failing_write_leaves_nothing(self):
        if STRACE is None:
            self.skipTest("strace is not there")
        target = self.path("out.h5")
        whole = None
        for action, when, result in self.outcomes(["run", PROGRAM, "--dump", target], target,
                                                  "write,pwrite64,fsync,rename,ftruncate",
                                                  ["error=ENOSPC", "error=EIO", "error=EINTR", "error=ENOMEM"]):
            with self.subTest(action=action, when=when):
                if result.returncode == OK:
                    whole = whole or target.read_bytes()
                    self.assertEqual(target.read_bytes(), whole)
                else:
                    self.assertEqual(result.returncode, RESOURCES, result.stderr)
                    self.assertFalse(target.exists())

    def test_killed_then_again(self):
        if STRACE is None:
            self.skipTest("strace is not there")
        data = self.data()
        target, part = self.path("o.h5"), self.path("o.h5.part")
        command = ["eval", PROGRAM, "--data", data, "-j1", "-o", target]
        self.assertEqual(ai8xsim(*command).returncode, OK)
        with h5py.File(target) as file:
            right = file["output"][()]
        for calls, whens in (("fallocate", (1, 2)), ("ftruncate", (1,)), ("link", (1,)), ("unlink", (1,)),
                             ("fsync", (1, 2)), ("pwrite64", (1, 3, 9, 17, 44, 60)), ("rename", (1,))):
            for when in whens:
                with self.subTest(calls=calls, when=when):
                    target.unlink(missing_ok=True)
                    part.unlink(missing_ok=True)
                    self.injected(calls, f"signal=KILL:when={when}", *command)
                    again = ai8xsim(*command)
                    self.assertEqual(again.returncode, OK, again.stderr)
                    with h5py.File(target) as file:
                        self.assertTrue(numpy.array_equal(file["output"][()], right))

    def test_data_that_shrinks(self):
        if STRACE is None:
            self.skipTest("strace is not there")
        data = self.data(400)
        command = [STRACE, "-f", "-o", "/dev/null", "-e", "trace=pread64", "-e", "inject=pread64:delay_enter=3000",
                   AI8XSIM, "eval", str(PROGRAM), "--data", str(data), "-j1"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        while process.poll() is None and str(data.resolve()) not in self.descriptors(process.pid):
            time.sleep(0.001)
        os.truncate(data, 6000)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, BAD_INPUT, out + err)
        self.assertNotIn("accuracy", out)

    @staticmethod
    def descriptors(pid):
        """What the child of strace has open; what is closed while it is looked at is left out."""
        found = set()
        try:
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for child in children:
                for link in os.listdir(f"/proc/{child}/fd"):
                    try:
                        found.add(os.readlink(f"/proc/{child}/fd/{link}"))
                    except OSError:
                        continue
        except OSError:
            pass
        return found


if __name__ == "__main__":
    unittest.main()
