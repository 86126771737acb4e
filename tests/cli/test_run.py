"""ai8xsim run as users call it: exit statuses, messages, tables, JSON, files, and every kind of bad input."""
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
SHIPPED = os.path.join(os.environ["AI8XSIM_SOURCE"], "golden", "residual2-max78000.h5")

OK, FAILED, USAGE, BAD_INPUT, STOPPED, RESOURCES = range(6)
WRITE32, WAIT, FIFO_WRITE32, EXPECT, RUN, WRITE8 = range(6)

OPERATION = numpy.dtype([("kind", "u1"), ("addr", "<u4"), ("value", "<u4"), ("mask", "<u4")])
DATA = 0x50400000
CTL = 0x50100000


def ai8xsim(*arguments, **options):
    """Runs the program under test; a call that takes a minute hangs."""
    options.setdefault("timeout", 60)
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([AI8XSIM, *map(str, arguments)], stderr=subprocess.PIPE, text=True, check=False,
                          **options)


def operations(*rows):
    """Rows of /program."""
    return numpy.array([tuple(row) + (0,) * (4 - len(row)) for row in rows], dtype=OPERATION)


def write_identity(file, **attributes):
    """The root attributes every program has; None leaves one out."""
    values = {"format": "ai8x-program", "version": 1, "device": "MAX78000", "name": "test"}
    values.update(attributes)
    for name, value in values.items():
        if value is not None:
            file.attrs[name] = value


def write_program(path, rows, **attributes):
    """A program file with the given operations."""
    with h5py.File(path, "w") as file:
        write_identity(file, **attributes)
        if rows is not None:
            file["program"] = rows if isinstance(rows, numpy.ndarray) else operations(*rows)
    return path


class Case(unittest.TestCase):
    """A test with a folder of its own that must hold nothing unexpected in the end."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.output = os.path.join(self.folder, "output")
        os.mkdir(self.output)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def copy(self, name="program.h5"):
        """The shipped program, to be changed."""
        path = self.path(name)
        shutil.copyfile(SHIPPED, path)
        os.chmod(path, 0o644)
        return path

    def edited(self, edit, name="program.h5"):
        """The shipped program, changed by edit(file)."""
        path = self.copy(name)
        with h5py.File(path, "r+") as file:
            edit(file)
        return path

    def edited_operations(self, edit):
        """The shipped program with its operations changed by edit(operations) -> operations."""

        def replace(file):
            changed = edit(file["program"][()])
            del file["program"]
            file["program"] = changed

        return self.edited(replace)

    def refuse(self, path, status, *texts, options=()):
        """The run ends with that status and a message that holds all texts, and writes no dump."""
        dump = os.path.join(self.output, "dump.h5")
        result = ai8xsim("run", "--dump", dump, *options, path)
        self.assertEqual(result.returncode, status, result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)
        self.assertIn(str(path), result.stderr)
        self.assertEqual(os.listdir(self.output), [])
        return result


class Usage(Case):
    """The command line itself."""

    def test_no_command_prints_help_and_is_usage(self):
        result = ai8xsim()
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("Usage: ai8xsim COMMAND", result.stderr)

    def test_help_teaches_by_example(self):
        for arguments in (("--help",), ("run", "--help"), ("help", "run"), ("help",)):
            result = ai8xsim(*arguments)
            self.assertEqual(result.returncode, OK)
            self.assertIn("Examples:", result.stdout)
            self.assertEqual(result.stderr, "")

    def test_every_command_has_examples(self):
        for line in ai8xsim("help").stdout.split("Commands:\n")[1].split("\n\n")[0].splitlines():
            command = line.split()[0]
            if command == "help":
                continue
            with self.subTest(command=command):
                result = ai8xsim("help", command)
                self.assertEqual(result.returncode, OK)
                self.assertIn("Examples:\n", result.stdout)
                self.assertGreaterEqual(result.stdout.count(f"\n  ai8xsim {command} "), 2)
                self.assertIn("Exit status: 0", result.stdout)

    def test_version(self):
        for arguments in (("--version",), ("-V",), ("run", "--version"), ("regs", "--version")):
            result = ai8xsim(*arguments)
            self.assertEqual(result.returncode, OK)
            self.assertRegex(result.stdout, r"^ai8xsim \d+\.\d+\.\d+\n$")

    def test_unknown_command_suggests_the_nearest(self):
        for word in ("rnu", "runn", "ru"):
            result = ai8xsim(word)
            self.assertEqual(result.returncode, USAGE)
            self.assertIn("did you mean 'run'", result.stderr)

    def test_unknown_command_far_from_all(self):
        result = ai8xsim("zzzzzz")
        self.assertEqual(result.returncode, USAGE)
        self.assertNotIn("did you mean", result.stderr)

    def test_bad_options(self):
        for arguments in (("run",), ("run", "--no-such-option", SHIPPED), ("run", "--jobs", "0", SHIPPED),
                          ("run", "--jobs", "-1", SHIPPED), ("run", "--jobs", "two", SHIPPED),
                          ("run", "--max-cycles", "0", SHIPPED), ("run", "--engine", "warp", SHIPPED),
                          ("run", "--part", "MAX9", SHIPPED), ("run", "--stop-after", "x", SHIPPED),
                          ("run", "--part", "MAX78002", SHIPPED), ("run", "--stop-after", "77", SHIPPED),
                          ("run", "--expect", SHIPPED, SHIPPED)):
            with self.subTest(arguments=arguments):
                result = ai8xsim(*arguments)
                self.assertEqual(result.returncode, USAGE, result.stderr)
                self.assertNotEqual(result.stderr, "")

    def test_mistyped_names_are_suggested(self):
        for arguments, wrong, meant in (
                (("run", "--jsn", "-", SHIPPED), "--jsn", "--json"),
                (("run", "--per-layers", SHIPPED), "--per-layers", "--per-layer"),
                (("run", "--hepl"), "--hepl", "--help"),
                (("run", "--engine", "fats", SHIPPED), "fats", "fast"),
                (("run", "--cpu", "avx", SHIPPED), "avx", "avx2"),
                (("run", "--part", "MAX7802", SHIPPED), "MAX7802", "MAX78002"),
                (("bench", "--engine", "exakt", SHIPPED), "exakt", "exact"),
                (("eval", "--engine", "exakt", SHIPPED), "exakt", "exact"),
                (("check", "--class", "data-self,endles", SHIPPED), "endles", "endless"),
                (("check", "--fail-on", "eror", SHIPPED), "eror", "error"),
                (("trace", "--signals", "wirtes", "-o", "x.vcd", SHIPPED), "wirtes", "writes"),
                (("profile", "--feed", "fiffo", SHIPPED), "fiffo", "fifo"),
                (("golden", "--wights", "w.h5", "n.yaml"), "--wights", "--weights"),
                (("compile", "--outptu=x", "n.yaml"), "--outptu", "--output"),
                (("regs", "--jason", "-"), "--jason", "--json")):
            with self.subTest(arguments=arguments):
                result = ai8xsim(*arguments)
                self.assertEqual(result.returncode, USAGE, result.stderr)
                self.assertIn(f"'{wrong}'; did you mean '{meant}'?", result.stderr)

    def test_arguments_of_options_are_no_options(self):
        result = ai8xsim("run", "--json", "--jsn", SHIPPED, cwd=self.output)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertEqual(os.listdir(self.output), ["--jsn"])
        result = ai8xsim("run", "-j", "--jsn", SHIPPED)
        self.assertIn("'--jsn' is not a number", result.stderr)
        result = ai8xsim("run", "--", "--jsn")
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertEqual(ai8xsim("run", "--per", SHIPPED).returncode, OK)

    def test_options_of_firmware(self):
        result = ai8xsim("run", "--until", "main", SHIPPED)
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("'--until' is for firmware", result.stderr)

    def test_output_that_cannot_be_written(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        for arguments in (("--help",), ("--version",), ("run", "--help"), ("run", SHIPPED),
                          ("run", "--json", "-", SHIPPED)):
            with self.subTest(arguments=arguments), open("/dev/full", "w", encoding="utf-8") as full:
                result = ai8xsim(*arguments, stdout=full)
                self.assertEqual(result.returncode, RESOURCES)
                self.assertIn("standard output", result.stderr)

    def test_standard_output_lasts(self):
        """A library that flushes it when it is unloaded finds it. What was freed is overwritten, so that it shows."""
        library = os.environ.get("AI8XSIM_LATE_FLUSH", "")
        if not os.path.exists(library):
            self.skipTest("not with sanitizers")
        environment = {**os.environ, "LD_PRELOAD": library,
                       "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"}
        result = subprocess.run([os.environ["AI8XSIM"], "--version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, check=False, timeout=60, env=environment)
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        self.assertIn("ai8xsim", result.stdout)

    def test_what_is_no_file_is_not_replaced(self):
        network = os.path.join(os.environ["AI8XSIM_SOURCE"], "models", "digits", "digits.yaml")
        data = os.path.join(os.environ["AI8XSIM_SOURCE"], "models", "digits", "heldout.h5")
        digits = os.path.join(os.environ["AI8XSIM_SOURCE"], "models", "digits", "digits.h5")
        specification = self.path("sweep.yaml")
        with open(specification, "w", encoding="utf-8") as file:
            file.write(f"network: {network}\nparameters:\n  part: [MAX78000]\n")
        for name in ("pipe.h5", "pipe.vcd"):
            os.mkfifo(os.path.join(self.output, name))
        os.mkdir(os.path.join(self.output, "folder.h5"))
        os.mkdir(os.path.join(self.output, "folder.vcd"))
        before = sorted(os.listdir(self.output))
        for kind in ("pipe", "folder", "absent/x"):
            out, vcd = (os.path.join(self.output, kind + suffix) for suffix in (".h5", ".vcd"))
            calls = [("run", "--dump", out, SHIPPED), ("trace", "-o", vcd, SHIPPED),
                     ("compile", "--random", 1, network, "-o", out),
                     ("compile", "--random", 1, network, "-o", self.path("x.h5"), "--write-yaml", out),
                     ("compile", "--random", 1, network, "-o", self.path("x.h5"), "--save-weights", out),
                     ("golden", "--random", 1, network, "-o", out),
                     ("golden", "--random", 1, network, "--save-weights", out),
                     ("sweep", specification, "-o", out),
                     ("eval", digits, "--data", data, "--limit", 1, "-o", out)]
            if kind != "pipe":  # pipes are written to
                calls += [("run", "--json", out, SHIPPED), ("check", "--json", out, SHIPPED),
                          ("info", "--json", out, SHIPPED), ("map", "--json", out, SHIPPED),
                          ("map", "--svg", out, SHIPPED), ("profile", "--json", out, SHIPPED),
                          ("profile", "--html", out, SHIPPED), ("regs", "--json", out),
                          ("sweep", specification, "--csv", out), ("sweep", specification, "--html", out),
                          ("bench", "--seconds", 0.01, "--json", out, SHIPPED),
                          ("eval", digits, "--data", data, "--limit", 1, "--json", out)]
            for arguments in calls:
                with self.subTest(arguments=arguments):
                    result = ai8xsim(*arguments)
                    self.assertEqual(result.returncode, RESOURCES, result.stderr)
                    self.assertIn(vcd if arguments[0] == "trace" else out, result.stderr)
                    self.assertEqual(sorted(os.listdir(self.output)), before)

    def test_links_are_followed(self):
        target, link = self.path("target.json"), self.path("link.json")
        os.symlink(target, link)
        with open(target, "w", encoding="utf-8") as file:
            file.write("before")
        self.assertEqual(ai8xsim("run", "--json", link, SHIPPED).returncode, OK)
        self.assertTrue(os.path.islink(link))
        with open(target, encoding="utf-8") as file:
            self.assertTrue(json.load(file)["programs"][0]["pass"])

    def test_closed_standard_output(self):
        for arguments in (("run", SHIPPED), ("run", "--json", "-", SHIPPED), ("--help",)):
            result = ai8xsim(*arguments, stdout=None, preexec_fn=lambda: os.close(1))
            self.assertEqual(result.returncode, RESOURCES)
            self.assertIn("standard output", result.stderr)
        dump = os.path.join(self.output, "dump.h5")
        ai8xsim("run", "--dump", dump, SHIPPED, stdout=None, preexec_fn=lambda: os.close(1))
        self.assertEqual(ai8xsim("info", dump).returncode, OK)

    def test_names_do_not_steer_the_terminal(self):
        path = os.path.join(self.output, "a\033[31m\nb.h5")
        shutil.copyfile(SHIPPED, path)
        for name in (path, path + ".absent"):
            result = ai8xsim("run", path, SHIPPED, name)
            self.assertNotIn("\033", result.stdout + result.stderr)
            self.assertIn("a?[31m?b.h5", result.stdout)
        program = self.edited(lambda file: file.attrs.__setitem__("name", "a\033[31m\nb"))
        for command in (["run", "--verbose"], ["check"], ["info"], ["profile"], ["map"],
                        ["bench", "--verbose", "--seconds", "0.01"]):
            with self.subTest(command=command):
                result = ai8xsim(*command, program)
                self.assertEqual(result.returncode, OK, result.stderr)
                self.assertNotIn("\033", result.stdout + result.stderr)

    def test_reader_that_leaves(self):
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w") as pipe:
            result = ai8xsim("run", SHIPPED, stdout=pipe)
        self.assertIn(result.returncode, (-signal.SIGPIPE, RESOURCES))
        self.assertEqual(result.stderr, "")

    def test_no_colours_without_a_terminal(self):
        result = ai8xsim("run", SHIPPED, env={**os.environ, "TERM": "xterm-256color"})
        self.assertNotIn("\033", result.stdout + result.stderr)


class Results(Case):
    """Programs that run."""

    def test_table(self):
        result = ai8xsim("run", "--wide", SHIPPED)
        self.assertEqual(result.returncode, OK, result.stderr)
        heading, row = result.stdout.splitlines()
        self.assertEqual(heading.split(), ["program", "part", "layers", "cycles", "time", "checks", "mismatches",
                                           "result"])
        self.assertEqual(row.split()[1], "MAX78000")
        self.assertEqual(row.split()[-1], "pass")

    def test_threads_of_an_inference(self):
        """any number of threads gives the same checks and cycles, with a layer that is split; others are refused"""
        wide = os.path.join(os.environ["AI8XSIM_SOURCE"], "models", "wide", "wide.h5")
        alone = ai8xsim("run", "--per-layer", "--json", "-", wide)
        self.assertEqual(alone.returncode, OK, alone.stderr)
        for threads in 1, 2, 64:
            result = ai8xsim("run", "--per-layer", "--threads", threads, "--json", "-", wide)
            self.assertEqual(result.returncode, OK, result.stderr)
            for key in "checks", "cycles", "mismatches":
                self.assertEqual(json.loads(result.stdout)["programs"][0][key],
                                 json.loads(alone.stdout)["programs"][0][key])
        for threads in 0, 65, "many":
            result = ai8xsim("run", "--threads", threads, wide)
            self.assertEqual(result.returncode, USAGE, result.stderr)
            self.assertIn("--threads", result.stderr)

    def test_json_has_the_documented_keys(self):
        result = ai8xsim("run", "--per-layer", "--json", "-", SHIPPED)
        self.assertEqual(result.returncode, OK, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(set(report), {"version", "programs"})
        self.assertEqual(report["version"], 1)
        (program,) = report["programs"]
        self.assertEqual(set(program), {"file", "name", "part", "pass", "checks", "mismatches", "cycles",
                                        "cycles_are", "cycles_error", "seconds", "error", "layers"})
        self.assertEqual(program["file"], SHIPPED)
        self.assertEqual(program["part"], "MAX78000")
        self.assertIs(program["pass"], True)
        self.assertEqual(program["mismatches"], 0)
        self.assertEqual((program["cycles_are"], program["cycles_error"]), ("exact", 0))
        self.assertIsNone(program["error"])
        self.assertGreater(program["seconds"], 0)
        for layer in program["layers"]:
            self.assertEqual(set(layer), {"layer", "cycles", "macs", "pass"})
        self.assertEqual(program["cycles"], 1 + sum(layer["cycles"] for layer in program["layers"]))
        with h5py.File(SHIPPED) as file:
            recorded = sum(dataset.size for layer in file["layers"].values() for dataset in layer.values())
            expects = int((file["program"]["kind"] == EXPECT).sum())
            self.assertEqual([layer["layer"] for layer in program["layers"]], list(file.attrs["order"]))
        self.assertEqual(program["checks"], recorded + expects)

    def test_json_file_and_table_together(self):
        report = os.path.join(self.output, "report.json")
        result = ai8xsim("run", "--json", report, SHIPPED)
        self.assertIn("pass", result.stdout)
        with open(report, encoding="utf-8") as file:
            self.assertIs(json.load(file)["programs"][0]["pass"], True)
        self.assertEqual(os.listdir(self.output), ["report.json"])

    def test_json_that_cannot_be_written(self):
        result = ai8xsim("run", "--json", self.path("absent", "report.json"), SHIPPED)
        self.assertEqual(result.returncode, RESOURCES)
        self.assertIn("cannot write", result.stderr)

    def test_mismatch_names_the_place(self):
        where = {}

        def change(rows):
            index = numpy.flatnonzero(rows["kind"] == EXPECT)[3]
            lane = next(lane for lane in range(4) if rows["mask"][index] >> (8 * lane) & 0xFF)
            rows["value"][index] ^= numpy.uint32(1 << (8 * lane))
            where.update(rows=rows, index=index, lane=lane)
            return rows

        path = self.edited_operations(change)
        result = ai8xsim("run", path)
        self.assertEqual(result.returncode, FAILED, result.stderr)
        self.assertIn("FAIL", result.stdout)
        row = result.stdout.splitlines()[-1].split()
        expected = where["rows"][where["index"]]
        self.assertEqual(row[4], f"0x{expected['addr']:08x}")
        self.assertEqual(int(row[5], 16), expected["value"] & expected["mask"])
        self.assertEqual(int(row[5], 16) ^ int(row[6], 16), 1 << (8 * where["lane"]))
        # Channel, row and column must point at the very value in the recorded tensor.
        with h5py.File(path) as file:
            value = file[f"layers/{row[0]}/output"][int(row[1]), int(row[2]), int(row[3])]
        self.assertEqual(int(row[6], 16) >> (8 * where["lane"]) & 0xFF, int(value) & 0xFF)

    def test_per_layer_names_the_first_layer(self):
        def change(file):
            output = file["layers/0/output"]
            output[0, 1, 2] = output[0, 1, 2] ^ 1
            output = file["layers/1/output"]
            output[0, 0, 0] = output[0, 0, 0] ^ 1

        path = self.edited(change)
        self.assertEqual(ai8xsim("run", path).returncode, OK)
        result = ai8xsim("run", "--per-layer", path)
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("first layer that went wrong is layer 0", result.stdout)
        self.assertRegex(result.stdout, r"(?m)^ +0 +0 +1 +2 +0x\w+ +-?\d+ +-?\d+  value$")

    def test_per_layer_compares_memory(self):
        def change(file):
            rows = file["layers/0/memory"][()]
            rows["value"][5] ^= rows["mask"][5]
            file["layers/0/memory"][...] = rows

        result = ai8xsim("run", "--per-layer", self.edited(change))
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("1 of ", result.stdout)

    def test_a_recorded_layer_that_never_ran(self):
        def change(file):
            layer = file.create_group("layers/9")
            layer["output"] = file["layers/1/output"][()]
            layer.attrs["hw_layer"] = 9
            layer.attrs["position"] = 2

        result = ai8xsim("run", "--per-layer", self.edited(change))
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("layer 9 is recorded, but it never ran", result.stdout)

    def test_mismatches_limits_what_is_shown(self):
        def change(rows):
            rows["value"][rows["kind"] == EXPECT] ^= 0xFFFFFFFF
            return rows

        path = self.edited_operations(change)
        shown = [len(ai8xsim("run", "--mismatches", count, path).stdout.splitlines()) for count in (1, 5)]
        self.assertEqual(shown[1] - shown[0], 4)

    def test_stop_after(self):
        report = json.loads(ai8xsim("run", "--stop-after", 0, "--json", "-", SHIPPED).stdout)
        (program,) = report["programs"]
        self.assertEqual([layer["layer"] for layer in program["layers"]], [0])
        self.assertEqual(program["checks"], 0)

    def test_dump_is_a_program_that_passes(self):
        dump = os.path.join(self.output, "dump.h5")
        self.assertEqual(ai8xsim("run", "--dump", dump, SHIPPED).returncode, OK)
        self.assertEqual(os.listdir(self.output), ["dump.h5"])
        self.assertEqual(ai8xsim("run", "--per-layer", dump).returncode, OK)
        with h5py.File(dump) as dumped, h5py.File(SHIPPED) as shipped:
            self.assertEqual(sorted(dumped["layers"]), sorted(shipped["layers"]))
            for number in shipped["layers"]:
                numpy.testing.assert_array_equal(dumped[f"layers/{number}/output"][()],
                                                 shipped[f"layers/{number}/output"][()])
            memory = dumped["memory"][()]
            self.assertEqual(memory.shape, (16, 8192))
            for row in shipped["program"][()]:
                if row["kind"] == EXPECT:
                    group, offset = divmod(int(row["addr"]) - DATA, 0x400000)
                    word = memory[4 * group + offset // 0x8000, offset % 0x8000 // 4]
                    self.assertEqual(word & row["mask"], row["value"] & row["mask"])

    def test_dump_that_cannot_be_written(self):
        for target in (self.path("absent", "dump.h5"), self.output):
            result = ai8xsim("run", "--dump", target, SHIPPED)
            self.assertEqual(result.returncode, RESOURCES, result.stderr)
            self.assertIn("cannot write", result.stderr)

    def test_dump_on_a_full_disk(self):
        # A limit on file sizes is what a full disk looks like to the program.
        dump = os.path.join(self.output, "dump.h5")
        result = ai8xsim("run", "--dump", dump, SHIPPED, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (8192, 8192)))
        self.assertEqual(result.returncode, RESOURCES, result.stderr)
        self.assertIn("cannot write: File too large", result.stderr)
        self.assertEqual(os.listdir(self.output), [])

    def test_dump_takes_one_program(self):
        result = ai8xsim("run", "--dump", os.path.join(self.output, "dump.h5"), SHIPPED, SHIPPED)
        self.assertEqual(result.returncode, USAGE)
        self.assertEqual(os.listdir(self.output), [])

    def test_verbose_shows_layers(self):
        result = ai8xsim("run", "--verbose", SHIPPED)
        self.assertIn("multiply-accumulates", result.stdout)

    def test_verbose_says_which_engine_and_why(self):
        fast = ai8xsim("run", "--verbose", SHIPPED)
        self.assertIn("\n0 of 2 layers (0.0 %) ran on the exact engine\n", fast.stdout)
        self.assertNotIn("asked for", fast.stdout)
        exact = ai8xsim("run", "--verbose", "--engine", "exact", SHIPPED)
        self.assertEqual(exact.stdout.count("the exact engine was asked for"), 2)
        self.assertIn("\n2 of 2 layers (100.0 %) ran on the exact engine\n", exact.stdout)

    def test_cpu(self):
        result = ai8xsim("run", "--cpu", "c", "--per-layer", SHIPPED)
        self.assertEqual(result.returncode, OK, result.stderr)
        result = ai8xsim("run", "--cpu", "abacus", SHIPPED)
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("unknown kernels 'abacus'\nKnown are: c, avx2, avx512bw, avxvnni, avx512vnni, neon, neondot, neoni8mm.", result.stderr)
        # No processor runs both.
        results = [ai8xsim("run", "--cpu", name, SHIPPED) for name in ("avx2", "neon")]
        refused = [result for result in results if result.returncode != OK]
        self.assertNotEqual(refused, [])
        for result in refused:
            self.assertEqual(result.returncode, USAGE)
            self.assertIn("on this processor; it can run c", result.stderr)

    def test_ring_that_is_read_in_part(self):
        # A stream whose reader takes fewer columns than are written: what its ring holds in the end depends on the
        # order of the pixels, which kernels that work by tiles of rows have to keep. (A mutated program found it.)
        network, program = self.path("ring.yaml"), self.path("ring.h5")
        with open(network, "w", encoding="utf-8") as file:
            file.write("layers:\n  - {in_channels: 16, in_dim: [12, 200], out_channels: 64, activate: ReLU, streaming: true}\n"
                       "  - {out_channels: 64, streaming: true, activate: ReLU}\n"
                       "  - {out_channels: 4, streaming: true}\n  - {out_channels: 4}\n")
        result = ai8xsim("compile", network, "--random", 1, "--fifo", "-o", program)
        self.assertEqual(result.returncode, OK, result.stderr)
        with h5py.File(program, "r+") as file:
            rows = file["program"][...]
            columns = (rows["kind"] == WRITE32) & ((rows["addr"] & ~numpy.uint32(0xC00000)) == 0x50100098)
            self.assertTrue(columns.any())
            rows["value"][columns] = rows["value"][columns] & ~numpy.uint32(0x3FF) | 30
            file["program"][...] = rows
        memories = set()
        for options in (["--engine", "exact"], *(["--engine", "fast", "--cpu", name] for name in
                                                 ("c", "avx2", "avx512bw", "avxvnni", "avx512vnni"))):
            dump = self.path("memory.h5")
            result = ai8xsim("run", *options, "--dump", dump, program)
            if "on this processor" in result.stderr:
                continue
            self.assertIn(result.returncode, (OK, FAILED), result.stderr)
            with h5py.File(dump) as file:
                memories.add(file["memory"][...].tobytes())
            os.remove(dump)
        self.assertEqual(len(memories), 1)
        os.remove(network)
        os.remove(program)

    def test_engines(self):
        cycles = set()
        for engine in ("auto", "exact", "fast"):
            result = ai8xsim("run", "--engine", engine, "--per-layer", "--json", "-", SHIPPED)
            self.assertEqual(result.returncode, OK, result.stderr)
            cycles.add(json.loads(result.stdout)["programs"][0]["cycles"])
        self.assertEqual(len(cycles), 1)


class Folders(Case):
    """Folders are searched, and what is no program is left alone."""

    def fill(self):
        os.makedirs(self.path("a", "deep"))
        self.copy(os.path.join("a", "deep", "two.h5"))
        self.copy(os.path.join("a", "one.h5"))
        with h5py.File(self.path("a", "weights.h5"), "w") as file:
            file["weights"] = [1, 2, 3]
        with open(self.path("a", "notes.txt"), "w", encoding="utf-8") as file:
            file.write("not a program")
        os.symlink(self.path("a"), self.path("a", "deep", "loop"))
        return self.path("a")

    def test_search(self):
        folder = self.fill()
        result = ai8xsim("run", "--json", "-", folder)
        self.assertEqual(result.returncode, OK, result.stderr)
        files = [program["file"] for program in json.loads(result.stdout)["programs"]]
        self.assertEqual(files, [os.path.join(folder, "deep", "two.h5"), os.path.join(folder, "one.h5")])
        self.assertIn("weights.h5: not a program", result.stderr)
        self.assertNotIn("notes.txt", result.stderr)

    def test_a_file_that_is_named_must_be_a_program(self):
        folder = self.fill()
        result = ai8xsim("run", os.path.join(folder, "weights.h5"))
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("'format' is missing", result.stderr)

    def test_folder_with_firmware_only(self):
        with open(self.path("output", "x.elf"), "wb") as file:
            file.write(b"\x7fELF")
        for command in ("run", "check"):
            result = ai8xsim(command, self.output)
            self.assertEqual(result.returncode, BAD_INPUT)
            self.assertIn("no programs (*.h5) in this folder; firmware (*.elf) has to be given by name", result.stderr)

    def test_folder_without_programs(self):
        result = ai8xsim("run", self.output)
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("no programs", result.stderr)

    def test_jobs_keep_the_order(self):
        for number in range(12):
            self.copy(f"p{number:02}.h5")
        reports = []
        for jobs in (1, 5):
            programs = json.loads(ai8xsim("run", "-j", jobs, "--json", "-", self.folder).stdout)["programs"]
            reports.append([{key: program[key] for key in program if key != "seconds"} for program in programs])
        self.assertEqual(reports[0], reports[1])
        self.assertEqual(len(reports[0]), 12)

    def test_one_bad_file_does_not_stop_the_others(self):
        self.copy("good.h5")
        bad = self.path("bad.h5")
        with open(SHIPPED, "rb") as source, open(bad, "wb") as target:
            target.write(source.read()[:3000])
        result = ai8xsim("run", "--json", "-", self.folder)
        self.assertEqual(result.returncode, BAD_INPUT)
        programs = json.loads(result.stdout)["programs"]
        self.assertEqual([(os.path.basename(program["file"]), program["pass"]) for program in programs],
                         [("bad.h5", False), ("good.h5", True)])
        self.assertIn("truncated", programs[0]["error"])
        self.assertIsNone(programs[0]["name"])


class BadFiles(Case):
    """Files that are not what they should be."""

    def test_absent(self):
        self.refuse(self.path("absent.h5"), BAD_INPUT, "No such file")

    def test_not_hdf5(self):
        path = self.path("text.h5")
        for content in (b"", b"\x89HDF", b"hello\n" * 1000):
            with open(path, "wb") as file:
                file.write(content)
            self.refuse(path, BAD_INPUT, "not a program")

    def test_truncated_everywhere(self):
        with open(SHIPPED, "rb") as file:
            content = file.read()
        path = self.path("truncated.h5")
        for length in [8, 20, 48, 96, *range(512, len(content), max(1, len(content) // 25)), len(content) - 1]:
            with open(path, "wb") as file:
                file.write(content[:length])
            with self.subTest(length=length):
                result = self.refuse(path, BAD_INPUT, "truncated or damaged")
                self.assertNotIn("unknown reason", result.stderr)

    def test_damaged_bytes(self):
        with open(SHIPPED, "rb") as file:
            content = file.read()
        path = self.path("damaged.h5")
        generator = numpy.random.default_rng(20240607)
        for _ in range(150):
            damaged = bytearray(content)
            for position in generator.integers(0, len(content), 6):
                damaged[position] = generator.integers(0, 256)
            with open(path, "wb") as file:
                file.write(damaged)
            # Which status depends on what was hit; a signal or a hang never.
            result = ai8xsim("run", "--per-layer", "--max-cycles", 10000000, path)
            self.assertIn(result.returncode, (OK, FAILED, BAD_INPUT, STOPPED), (result.returncode, result.stderr))

    def test_damaged_heap_of_texts(self):
        # Texts of variable length lie in a heap that no checksum covers.
        with open(SHIPPED, "rb") as file:
            content = file.read()
        path = self.path("damaged.h5")
        heap = content.index(b"GCOL")
        for position, value in ((heap, b"X"), (heap + 4, b"\2"), (heap + 8, b"\0\0\0\0"), (heap + 8, b"\xff" * 8),
                                (heap + 24, b"\xff" * 8), (heap + 24, b"\0" * 8), (heap + 24, b"\xf0" + b"\xff" * 7),
                                (heap + 16, b"\0\0"), (heap + 16, b"\x77\x77")):
            damaged = bytearray(content)
            damaged[position:position + len(value)] = value
            with open(path, "wb") as file:
                file.write(damaged)
            with self.subTest(position=position - heap, value=value):
                self.refuse(path, BAD_INPUT, "damaged")

    def test_identity(self):
        rows = [(RUN,)]
        path = self.path("program.h5")
        for attributes, text in (({"format": None}, "'format' is missing"),
                                 ({"format": "other"}, "'format' is 'other'"),
                                 ({"format": 7}, "'format' is missing"),
                                 ({"version": None}, "'version' is missing"),
                                 ({"version": 2}, "'version' is 2"),
                                 ({"version": "1"}, "'version' is missing"),
                                 ({"device": None}, "'device' is missing"),
                                 ({"device": "MAX99999"}, "'device' is 'MAX99999'")):
            with self.subTest(attributes=attributes):
                self.refuse(write_program(path, rows, **attributes), BAD_INPUT, text)

    def test_operations_of_wrong_shape_or_type(self):
        good = operations((RUN,))
        lacking = numpy.zeros(1, dtype=[("kind", "u1"), ("addr", "<u4"), ("value", "<u4")])
        real = numpy.zeros(1, dtype=[("kind", "u1"), ("addr", "<f4"), ("value", "<u4"), ("mask", "<u4")])
        nested = numpy.zeros(1, dtype=[("kind", "u1"), ("addr", "<u4", (2,)), ("value", "<u4"), ("mask", "<u4")])
        path = self.path("program.h5")
        for rows, text in ((None, "/program: is missing"),
                           (numpy.zeros(4, "u4"), "expected a compound"),
                           (good.reshape(1, 1), "has 2 dimensions; expected 1"),
                           (lacking, "member 'mask' is missing"),
                           (real, "member 'addr' is not an integer"),
                           (nested, "member 'addr' is not an integer")):
            with self.subTest(text=text):
                self.refuse(write_program(path, rows), BAD_INPUT, text)

    def test_program_is_a_group_or_a_scalar(self):
        path = write_program(self.path("program.h5"), None)
        with h5py.File(path, "r+") as file:
            file.create_group("program")
        self.refuse(path, BAD_INPUT, "/program: expected a dataset")
        with h5py.File(path, "r+") as file:
            del file["program"]
            file["program"] = operations((RUN,))[0]
        self.refuse(path, BAD_INPUT, "has 0 dimensions")

    def test_links_that_lead_elsewhere(self):
        other = write_program(self.path("other.h5"), [(RUN,)])
        path = self.path("program.h5")
        for link in (h5py.SoftLink("/elsewhere"), h5py.SoftLink("/program"), h5py.ExternalLink(other, "/program")):
            write_program(path, None)
            with h5py.File(path, "r+") as file:
                file["elsewhere"] = operations((RUN,))
                file["program"] = link
            self.refuse(path, BAD_INPUT, "/program: is a soft or external link")

    def test_groups_that_contain_themselves(self):
        def change(file):
            file["layers/7"] = file["/"]
            file["layers/8"] = file["layers"]

        result = ai8xsim("run", self.edited(change))
        self.assertEqual(result.returncode, OK, result.stderr)

    def test_huge_dimensions(self):
        path = write_program(self.path("program.h5"), None)
        with h5py.File(path, "r+") as file:
            file.create_dataset("program", (1 << 40,), OPERATION, chunks=(4096,))
        self.refuse(path, BAD_INPUT, "/program", "operations; at most 16777216 are accepted")
        with h5py.File(path, "r+") as file:
            del file["program"]
            file.create_dataset("program", (16,), OPERATION, chunks=(1 << 28,), maxshape=(None,))
        self.refuse(path, BAD_INPUT, "bytes in a chunk")

    def test_huge_tensors(self):
        def change(file):
            del file["layers/0/output"]
            file.create_dataset("layers/0/output", (1 << 20, 1 << 20, 1 << 20), "i4", chunks=(1, 64, 64))

        path = self.edited(change)
        self.refuse(path, BAD_INPUT, "/layers/0/output", "values; at most")

    def test_less_data_than_the_shape_asks_for(self):
        path = self.path("program.h5")
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_layout(h5py.h5d.COMPACT)
        with h5py.File(path, "w") as file:
            write_identity(file)
            space = h5py.h5s.create_simple((16,))
            h5py.h5d.create(file.id, b"program", h5py.h5t.py_create(OPERATION), space, creation)
        with open(path, "rb") as file:
            content = bytearray(file.read())
        # Layout message of version 3 with compact storage of 16 * 13 bytes.
        place = content.index(bytes((3, 0, 16 * 13, 0)))
        content[place + 2] = 0
        with open(path, "wb") as file:
            file.write(content)
        self.refuse(path, BAD_INPUT, "/program", "damaged")

    def test_external_and_virtual_data(self):
        path = write_program(self.path("program.h5"), None)
        with h5py.File(path, "r+") as file:
            file.create_dataset("program", (2,), OPERATION, external=[("/etc/passwd", 0, 26)])
        self.refuse(path, BAD_INPUT, "external files")
        with h5py.File(path, "r+") as file:
            del file["program"]
            layout = h5py.VirtualLayout((1,), OPERATION)
            layout[:] = h5py.VirtualSource(self.path("other.h5"), "program", (1,))
            file.create_virtual_dataset("program", layout)
        self.refuse(path, BAD_INPUT, "virtual")

    def test_layer_data_of_wrong_type(self):
        for name, data, text in (("output", numpy.zeros((2, 2), "i4"), "has 2 dimensions; expected 3"),
                                 ("output", numpy.zeros((1, 2, 2), "f4"), "expected signed integers"),
                                 ("output", numpy.zeros((1, 0, 2), "i4"), "dimension of 0"),
                                 ("memory", numpy.zeros(3, "u4"), "expected a compound")):

            def change(file, name=name, data=data):
                del file["layers/0"][name]
                file["layers/0"][name] = data

            with self.subTest(name=name, text=text):
                self.refuse(self.edited(change), BAD_INPUT, f"/layers/0/{name}", text)

    def test_recorded_memory_outside_data_memory(self):
        def change(file):
            rows = file["layers/0/memory"][()]
            rows["addr"][0] = 0x50000000
            file["layers/0/memory"][...] = rows

        self.refuse(self.edited(change), BAD_INPUT, "not in data memory", options=("--per-layer",))

    def test_unknown_kind(self):
        path = write_program(self.path("program.h5"), [(WRITE32, DATA, 1), (6, 0, 0), (RUN,)])
        self.refuse(path, BAD_INPUT, "operation 1 has the unknown kind 6")

    def test_run_must_be_there_once(self):
        path = self.path("program.h5")
        self.refuse(write_program(path, [(WRITE32, DATA, 1)]), BAD_INPUT, "none of the 1 operations is a RUN")
        self.refuse(write_program(path, operations()), BAD_INPUT, "none of the 0 operations is a RUN")
        self.refuse(write_program(path, [(RUN,), (WRITE32, DATA, 1), (RUN,)]), BAD_INPUT,
                    "operation 2 is a second RUN (the first is operation 0)")

    def test_values_that_do_not_fit(self):
        wide = numpy.dtype([("kind", "<i8"), ("addr", "<i8"), ("value", "<i8"), ("mask", "<i8")])
        path = self.path("program.h5")
        for row, text in (((0, -1, 0, 0), "'addr' is -1"), ((0, 1 << 32, 0, 0), "'addr' is 4294967296"),
                          ((256, 0, 0, 0), "'kind' is 256")):
            self.refuse(write_program(path, numpy.array([row, (RUN, 0, 0, 0)], dtype=wide)), BAD_INPUT, text)


class Layouts(Case):
    """What h5py users write: other member orders, offsets, widths and byte orders say the same."""

    def test_compound_layouts(self):
        with h5py.File(SHIPPED) as file:
            rows = file["program"][()]
        for layout in ([("mask", ">u4"), ("value", ">u4"), ("addr", ">u4"), ("kind", "u1")],
                       [("kind", "<i8"), ("addr", "<i8"), ("value", "<i8"), ("mask", "<i8")],
                       [("kind", "<u2"), ("addr", "<u8"), ("value", "<u8"), ("mask", "<u8"), ("note", "<f8")],
                       {"names": ["kind", "addr", "value", "mask"], "formats": ["u1", "<u4", "<u4", "<u4"],
                        "offsets": [0, 4, 8, 12], "itemsize": 32}):
            changed = numpy.zeros(rows.shape, dtype=numpy.dtype(layout))
            for name in OPERATION.names:
                changed[name] = rows[name]

            def change(file, changed=changed):
                del file["program"]
                file["program"] = changed

            with self.subTest(layout=layout):
                result = ai8xsim("run", "--per-layer", self.edited(change))
                self.assertEqual(result.returncode, OK, result.stderr)

    def test_unknown_content_is_left_alone(self):
        def change(file):
            file["notes"] = [1.0, 2.0]
            file.create_group("layers/extra")
            file.attrs["comment"] = ["several", "texts"]
            file.attrs["weights"] = numpy.ones((2, 2))
            file["layers/0"].attrs["flag"] = True

        result = ai8xsim("run", "--per-layer", self.edited(change))
        self.assertEqual(result.returncode, OK, result.stderr)


class BadPrograms(Case):
    """Files that are in order, with operations that are not."""

    def test_address_outside_the_part(self):
        for kind in (WRITE32, WRITE8, EXPECT, WAIT, FIFO_WRITE32):
            path = write_program(self.path("program.h5"), [(WRITE32, DATA, 1), (kind, 0x60000000, 1, 1), (RUN,)])
            with self.subTest(kind=kind):
                self.refuse(path, BAD_INPUT, "operation 1", "0x60000000")

    def test_misaligned_write(self):
        path = write_program(self.path("program.h5"), [(WRITE32, DATA + 2, 1), (RUN,)])
        self.refuse(path, BAD_INPUT, "operation 0", f"0x{DATA + 2:08x}")

    def test_hole_behind_data_memory(self):
        path = write_program(self.path("program.h5"), [(WRITE32, DATA + 4 * 0x8000, 1), (RUN,)])
        self.refuse(path, BAD_INPUT, "operation 0")

    def test_program_that_never_starts(self):
        path = self.edited_operations(lambda rows: rows[~((rows["addr"] == CTL) & (rows["value"] & 1 == 1))])
        self.refuse(path, STOPPED, "RUN", "started")

    def test_program_that_never_finishes(self):
        result = self.refuse(SHIPPED, STOPPED, "still running after 100 cycles", options=("--max-cycles", 100))
        self.assertIn("error", result.stdout)

    def test_wait_that_is_never_over(self):
        path = write_program(self.path("program.h5"), [(WAIT, CTL, 0x1000, 0x1000), (RUN,)])
        self.refuse(path, STOPPED, "operation 0 (WAIT", "holds 0x00000006")

    def test_fifo_that_nobody_reads(self):
        rows = [(WRITE32, 0x50000000, 1 << 12 | 1 << 11), *[(FIFO_WRITE32, 0x50000008, 1)] * 100, (RUN,)]
        self.refuse(write_program(self.path("program.h5"), rows), STOPPED, "FIFO is full")

    def test_layer_that_reads_past_memory(self):
        # RPTR_BASE of layer 0 at the memory's last word.
        pointer = CTL + 0x10 + 10 * 0x80

        def change(rows):
            start = numpy.flatnonzero((rows["addr"] == CTL) & (rows["value"] & 1 == 1))[0]
            return numpy.insert(rows, start, numpy.array([(WRITE32, pointer, 0x1FFF, 0)], dtype=OPERATION))

        self.refuse(self.edited_operations(change), STOPPED, "layer 0 reads past data memory", "0x1fff")

    def test_json_tells_the_error(self):
        path = write_program(self.path("program.h5"), [(WRITE32, DATA + 2, 1), (RUN,)])
        result = ai8xsim("run", "--json", "-", path)
        self.assertEqual(result.returncode, BAD_INPUT)
        (program,) = json.loads(result.stdout)["programs"]
        self.assertIs(program["pass"], False)
        self.assertIn("operation 0", program["error"])
        self.assertEqual(program["part"], "MAX78000")

    def test_json_of_what_did_not_start(self):
        result = ai8xsim("run", "--json", "-", self.path("absent.h5"), SHIPPED)
        self.assertEqual(result.returncode, BAD_INPUT)
        absent, shipped = json.loads(result.stdout)["programs"]
        self.assertEqual((absent["name"], absent["part"], absent["cycles"], absent["cycles_are"]), (None, None, 0, None))
        self.assertIsNone(absent["cycles_error"])
        self.assertIn("No such file", absent["error"])
        self.assertEqual((absent["pass"], absent["checks"], absent["layers"]), (False, 0, []))
        self.assertEqual((shipped["cycles_are"], shipped["error"]), ("exact", None))


class Standing(Case):
    """What is known of the distance between cycles and silicon: in JSON always, in tables once."""

    MOBILE = os.path.join(os.environ["AI8XSIM_SOURCE"], "models", "mobile", "mobile.h5")  # MAX78002

    def test_json(self):
        for command in (("run",), ("bench", "--seconds", "0.01")):
            result = ai8xsim(*command, "--json", "-", SHIPPED, self.MOBILE)
            self.assertEqual(result.returncode, OK, result.stderr)
            programs = json.loads(result.stdout)["programs"]
            self.assertEqual([(p["cycles_are"], p["cycles_error"]) for p in programs],
                             [("exact", 0), ("estimate", 0.035)])

    def test_tables_say_it_once(self):
        for command in (("run",), ("bench", "--seconds", "0.01")):
            for files, times in (((SHIPPED,), 0), ((self.MOBILE, SHIPPED, self.MOBILE), 1)):
                self.assertEqual(ai8xsim(*command, *files).stdout.count("MAX78002 (~) are within 3.5 % of silicon"),
                                 times)


class Stimulus(Case):
    """Block-level .mem files."""

    def write(self, name, words):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            for index, word in enumerate(words):
                file.write(f"@{index:04x} {word:08x}\n")
        return path

    def shipped_as_mem(self):
        with h5py.File(SHIPPED) as file:
            rows = file["program"][()]
        stimulus = [int(row[name]) for row in rows if row["kind"] in (WRITE32, WRITE8) for name in ("addr", "value")]
        # A .mem file cannot mask words.
        expected = [int(row[name]) for row in rows if row["kind"] == EXPECT and row["mask"] == 0xFFFFFFFF
                    for name in ("addr", "value")]
        return self.write("input.mem", stimulus), self.write("output.mem", expected), len(expected) // 2

    def test_run(self):
        stimulus, expected, count = self.shipped_as_mem()
        result = ai8xsim("run", "--part", "MAX78000", "--expect", expected, "--json", "-", stimulus)
        self.assertEqual(result.returncode, OK, result.stderr)
        (program,) = json.loads(result.stdout)["programs"]
        self.assertEqual(program["checks"], count)
        with h5py.File(SHIPPED) as file:
            self.assertEqual(program["cycles"], file.attrs["cycles"])

    def test_mismatch_is_placed_by_registers(self):
        stimulus, _, _ = self.shipped_as_mem()
        with h5py.File(SHIPPED) as file:
            row = next(row for row in file["program"][()] if row["kind"] == EXPECT)
        expected = self.write("wrong.mem", [int(row["addr"]), int(row["value"]) ^ 1])
        result = ai8xsim("run", "--part", "MAX78000", "--expect", expected, stimulus)
        self.assertEqual(result.returncode, FAILED)
        self.assertRegex(result.stdout.splitlines()[-1], r"^ +1 +\d+ +0 +0 +0x")

    def test_part_is_needed(self):
        stimulus, _, _ = self.shipped_as_mem()
        self.refuse(stimulus, USAGE, "--part")

    def test_bad_lines(self):
        path = self.path("input.mem")
        for text, message in (("@0000 50100000\n", "ends with an address"),
                              ("@0000 50100000\n@0002 1\n", "line 2: index @0002; expected @0001"),
                              ("50100000\n", "line 1: expected '@INDEX VALUE'"),
                              ("@0000 xyz\n", "line 1: expected '@INDEX VALUE'"),
                              ("@0000 123456789\n", "more than 32 bits"),
                              ("@0000 50100000 1\n", "text after the value"),
                              ("", "holds no"),
                              ("@0000 " + "0" * 1000 + "\n", "longer than")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            with self.subTest(text=text[:30]):
                self.refuse(path, BAD_INPUT, message, options=("--part", "MAX78000"))

    def test_stimulus_that_starts_nothing(self):
        path = self.write("input.mem", [DATA, 1])
        result = ai8xsim("run", "--part", "MAX78000", path)
        self.assertEqual(result.returncode, STOPPED)
        self.assertIn("starts", result.stderr)


if __name__ == "__main__":
    unittest.main()
