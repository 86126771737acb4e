"""Firmware as users run it: test images of our own, one with a fault, one that hangs, and files that are none."""
import csv
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

AI8XSIM = os.environ["AI8XSIM"]
FIRMWARE = os.environ["AI8XSIM_FIRMWARE"]
SHIPPED = os.environ["AI8XSIM_SHIPPED"]
GOLDEN = os.environ["AI8XSIM_GOLDEN"]

OK, FAILED, USAGE, BAD_INPUT, STOPPED, RESOURCES = range(6)


def ai8xsim(*arguments):
    """Runs the program under test; a call that takes a minute hangs."""
    return subprocess.run([AI8XSIM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=60)


def image(name):
    """Path of a test image."""
    return os.path.join(FIRMWARE, name + ".elf")


def good_images():
    """Names of the images that load a network and pass."""
    names = sorted(name[:-4] for name in os.listdir(FIRMWARE) if name.endswith(".elf"))
    others = ("core", "tasks", "peripherals", "devices", "semihosting", "fault", "hang", "power", "twocore", "hostile",
              "loading")
    return [name for name in names if not name.startswith(others)]


def program_cycles(path):
    """Cycles of a program that runs without a core."""
    run = ai8xsim("run", "--json", "-", path)
    return json.loads(run.stdout)["programs"][0]["cycles"]


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_json(self, *arguments, status=OK):
        run = ai8xsim("run", "--json", "-", *arguments)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return json.loads(run.stdout)["images"]


class Passing(Case):
    """What a good image shows."""

    def test_all_images_pass(self):
        self.assertGreaterEqual(len(good_images()), 7)
        for result in self.run_json("--strict", *map(image, good_images())):
            self.assertEqual(result["verdict"], "pass", result["file"])
            self.assertEqual(result["end"], "returned", result["file"])
            finished = [row["finished"] for row in result["inferences"]]
            expected = {"twice.elf": [True, True], "hundred.elf": [True] * 100, "abandon.elf": [False, True]}
            self.assertEqual(finished, expected.get(os.path.basename(result["file"]), [True]), result["file"])
            self.assertEqual(result["unmodelled"], [], result["file"])
            self.assertFalse(result["read_while_running"], result["file"])

    def test_core(self):
        (result,) = self.run_json(image("core"))
        self.assertEqual(result["end"], "exited")
        self.assertEqual(result["console"], "*** PASS ***\n")
        self.assertEqual([row["name"] for row in result["unmodelled"]], ["TRIMSIR.INRO"])

    def test_tasks(self):
        (result,) = self.run_json("--strict", image("tasks"))
        self.assertEqual((result["end"], result["console"]), ("exited", "*** PASS *** 0\n"))

    def test_peripherals(self):
        # Flush and reset bits, DMA, flash, clocks in simulated time: nothing waits for ever, and nothing is unmodelled.
        for name in ("peripherals", "peripherals-78002", "peripherals-sram"):
            (result,) = self.run_json("--strict", image(name))
            self.assertEqual((result["end"], result["console"]), ("exited", "*** PASS ***\n"), name)

    def test_seconds_have_fractions(self):
        (result,) = self.run_json("--max-seconds", "0.25", image("hang"), status=STOPPED)
        self.assertIn("0.25 simulated seconds passed", result["message"])
        self.assertLess(result["simulated_seconds"], 0.3)

    def test_power_modes(self):
        # What sleeps, wakes, stands still and is kept, with the time that each mode took.
        events = self.path("pins.csv")
        with open(events, "w", encoding="utf-8") as file:
            file.write("9,P0.3,0\n30,P0.3,1\n40,P0.2,0\n")
        options = ("--strict", "--gpio", events, "--max-seconds", 100)
        for name, end in (("power", "returned"), ("power-78002", "idle")):
            (result,) = self.run_json(*options, image(name))
            self.assertEqual((result["verdict"], result["end"], result["console"]), ("pass", end, "Backing up\n*** PASS ***\n"))
            seconds = {row["name"]: row["seconds"] for row in result["phases"]}
            for mode, expected in (("sleep", 2), ("low power", 1), ("micro power", 3), ("standby", 34), ("backup", 5)):
                self.assertAlmostEqual(seconds[mode], expected, delta=0.02, msg=mode)
            self.assertAlmostEqual(sum(seconds.values()), result["simulated_seconds"], places=6)
        self.assertIn("backup mode at main", result["message"])
        # Without the pin nothing ends the last standby.
        (result,) = self.run_json("--max-seconds", 100, image("power"), status=FAILED)
        self.assertEqual(result["end"], "idle")
        self.assertRegex(result["message"], "the chip is in standby mode at enter.*no event that could end it will come")

    def test_phases_of_an_inference(self):
        (result,) = self.run_json(image("twice"))
        phases = {row["name"]: row for row in result["phases"]}
        self.assertAlmostEqual(phases["run"]["seconds"], sum(row["seconds"] for row in result["inferences"]), delta=2e-6)
        self.assertGreater(phases["run"]["joules"], 1e-7)
        self.assertLess(phases["run"]["joules"], 1e-4)
        self.assertGreater(phases["load"]["seconds"], phases["run"]["seconds"])
        self.assertLess(phases["load"]["seconds"], 0.005)
        self.assertNotIn("joules", phases["load"])

    def test_strict_names_the_register(self):
        (result,) = self.run_json("--strict", image("core"), status=STOPPED)
        self.assertEqual(result["end"], "unmodelled")
        self.assertIn("TRIMSIR.INRO (0x40005444)", result["reason"])

    def test_cycles_are_those_of_the_program(self):
        expected = program_cycles(SHIPPED)
        for name in ("plain", "express", "poll"):
            (result,) = self.run_json(image(name))
            self.assertEqual(result["inferences"][0]["cycles"], expected, name)

    def test_firmware_measures_the_simulated_time(self):
        (result,) = self.run_json(image("express"))
        printed = int(re.search(r"Inference took (\d+) us", result["console"]).group(1))
        simulated = 1e6 * result["inferences"][0]["seconds"]
        self.assertGreaterEqual(printed, int(simulated))
        self.assertLess(printed, simulated + 10)

    def test_loading_takes_what_silicon_takes(self):
        """Kernels and input at every clock that was measured (docs/timing.md): the kept rows, and within 5 % of silicon."""
        source = pathlib.Path(os.environ["AI8XSIM_SOURCE"])

        def rows(path):
            with open(source / path, encoding="utf-8") as file:
                return list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))

        kept = {(row["part"], int(row["khz"])): row for row in rows("bench/silicon/loading.tsv")}
        measured = {row["id"]: row for row in rows("docs/reference/measured.tsv")}
        seen = {}
        for part, name in (("MAX78000", "loading"), ("MAX78002", "loading-78002")):
            text = ai8xsim("run", image(name)).stdout
            for khz, kernels, input_words in re.findall(r"khz=(\d+) kernels=(\d+) of 2052 input=(\d+) of 1024", text):
                seen[part, int(khz)] = {"kernels": int(kernels) / 2052, "input": int(input_words) / 1024}
                row = kept[part, int(khz)]
                # Compilers differ by an instruction of a loop here and there.
                self.assertAlmostEqual(int(kernels) / int(row["kernels"]), 1, delta=0.02, msg=name)
                self.assertAlmostEqual(int(input_words) / int(row["input"]), 1, delta=0.02, msg=name)
        self.assertEqual(set(seen), set(kept))
        for first, what, count in ((167, "kernels", 343206), (175, "input", 1024), (183, "kernels", 38872),
                                   (191, "input", 4096)):
            for row in (measured[f"an7664-{first + i}"] for i in range(8)):
                value = float(row["value"]) / 1000
                time = seen["MAX78002", round(float(row["clock_mhz"]) * 1000)][what] * count / 120e6
                self.assertAlmostEqual(time / value, 1, delta=0.05, msg=row["id"])
        time = seen["MAX78000", 50000]["input"] * 4096
        self.assertAlmostEqual(time / float(measured["safesound-226"]["value"]), 1, delta=0.01)

    def test_delays_are_not_executed(self):
        # Start-up, two seconds of delay, 23,000 bus writes and the inference. Instruction by instruction the delay
        # alone takes 200 million.
        (result,) = self.run_json(image("keywords"))
        self.assertGreater(result["simulated_seconds"], 2)
        self.assertLess(result["instructions"], 10_000_000)

    def test_delay_passes_in_simulated_time_only(self):
        (result,) = self.run_json(image("plain"))
        self.assertGreater(result["inferences"][0]["start_seconds"], 2.0)
        self.assertLess(result["inferences"][0]["start_seconds"], 2.1)

    def test_console_is_shown_and_saved(self):
        run = ai8xsim("run", "--uart", self.path("uart.txt"), image("plain"))
        with open(self.path("uart.txt"), encoding="utf-8") as file:
            console = file.read()
        self.assertTrue(console.startswith("Test firmware for the MAX78000\n192 words verified\n*** PASS ***\n"))
        self.assertTrue(run.stdout.startswith(console))
        self.assertNotIn(console, ai8xsim("run", "--quiet", image("plain")).stdout)

    def test_options_of_programs_do_not_apply(self):
        for option in ("--per-layer", "--dump=x.h5", "--jobs=2"):
            run = ai8xsim("run", option, image("plain"))
            self.assertEqual(run.returncode, USAGE)
            self.assertIn(f"option '{option.split('=')[0]}' is for programs; it does not apply to firmware", run.stderr)

    def test_golden_program_agrees_layer_by_layer(self):
        (result,) = self.run_json("--golden", SHIPPED, image("express"))
        self.assertEqual(result["golden"]["layers"], 2)
        self.assertEqual(result["golden"]["mismatches"], 0)

    def test_recording_runs_without_the_core(self):
        for name in good_images():
            recorded = self.path("recorded.h5")
            run = ai8xsim("run", "--quiet", "--record", recorded, image(name))
            self.assertEqual(run.returncode, OK, run.stdout + run.stderr)
            for engine in ("exact", "fast"):
                run = ai8xsim("run", "--engine", engine, "--per-layer", "--json", "-", recorded)
                self.assertEqual(run.returncode, OK, name + run.stdout + run.stderr)
            program = json.loads(run.stdout)["programs"][0]
            words = int(re.search(r"(\d+) words verified", ai8xsim("run", image(name)).stdout).group(1))
            self.assertGreaterEqual(program["checks"], words, name)

    def test_recording_of_all_inferences(self):
        recorded = self.path("recorded.h5")
        run = ai8xsim("run", "--quiet", "--record", recorded, "--inference", "all", image("twice"))
        self.assertEqual(run.returncode, OK, run.stdout + run.stderr)
        for name in ("recorded.h5", "recorded-2.h5"):
            program = json.loads(ai8xsim("run", "--json", "-", self.path(name)).stdout)["programs"][0]
            self.assertGreaterEqual(program["checks"], 192, name)
        self.assertEqual(sorted(os.listdir(self.folder)), ["recorded-2.h5", "recorded.h5"])
        run = ai8xsim("run", "--record", recorded, "--inference", "all", "--uart0", "-", image("twice"))
        self.assertEqual(run.returncode, USAGE)

    def test_engines_agree(self):
        results = [self.run_json("--engine", engine, image("express"))[0] for engine in ("exact", "fast", "auto")]
        self.assertEqual(len({result["console"] for result in results}), 1)

    def test_a_pause_costs_time_and_nothing_else(self):
        for name in ("pause", "pause-poll", "pause-fifo"):
            without = {"pause": "express", "pause-poll": "poll", "pause-fifo": "digits-fifo"}[name]
            results = [self.run_json(image(kind))[0] for kind in (name, without)]
            cycles = [result["inferences"][0]["cycles"] for result in results]
            self.assertEqual(len(results[0]["inferences"]), 1, name)
            if name != "pause-fifo":
                self.assertEqual(cycles[0], cycles[1], name)
            times = [int(re.search(r"took (\d+) us", result["console"]).group(1)) for result in results]
            self.assertAlmostEqual(times[0] - times[1], 3000, delta=100, msg=name)

    def test_many_inferences_are_summed_up(self):
        out = ai8xsim("run", "--quiet", image("hundred")).stdout
        self.assertIn("100 inferences, 100 finished: 4,353 to 4,353 cycles, mean 4,353;", out)
        self.assertEqual(len(re.findall(r"(?m)^ +\d+ +2 +4,353 ", out)), 4)
        self.assertEqual(ai8xsim("info", image("hundred") + "#77").returncode, OK)

    def test_until_a_symbol(self):
        (result,) = self.run_json("--until", "board_stopwatch_start", image("plain"))
        self.assertEqual(result["end"], "reached")
        self.assertNotIn("PASS", result["console"])
        run = ai8xsim("run", "--until", "no_such_function", image("plain"))
        self.assertEqual(run.returncode, USAGE)
        self.assertIn("no_such_function", run.stderr)


@unittest.skipUnless(os.path.exists(image("twocore")), "no compiler for the second core")
class SecondCore(Case):
    """Images whose network the RISC-V core runs."""

    def test_both_cores(self):
        # Semaphore, calls both ways with mail, ECALL, sleep until the accelerator's interrupt, the cycle counter.
        expected = program_cycles(SHIPPED)
        for name, end, words in (("twocore", "returned", 192), ("twocore-spin", "idle", 192), ("twocore-mobile", "returned", 10)):
            (result,) = self.run_json("--strict", image(name))
            self.assertEqual((result["verdict"], result["end"]), ("pass", end), name)
            self.assertIn("loops for ever at 0x1004", result["message"])
            inference = result["inferences"][0]
            self.assertTrue(inference["finished"])
            called, riscv, delay, verdict = result["console"].splitlines()
            self.assertEqual((called, verdict), ("The second core has been called", "*** PASS ***"))
            count, took = map(int, re.fullmatch(r"RISC-V: (\d+) words verified, inference took (\d+) us", riscv).groups())
            self.assertEqual(count, words)
            # Measured by a sleeping Cortex-M4's companion: to the microsecond, and what the interrupt takes.
            self.assertGreaterEqual(took, int(1e6 * inference["seconds"]))
            self.assertLess(took, 1e6 * inference["seconds"] + 10)
            self.assertAlmostEqual(int(delay.split()[-1]), 50000, delta=50000 / 16)
            if name == "twocore":
                self.assertEqual(inference["cycles"], expected)

    def test_images_joined_by_objcopy(self):
        # As the SDK's makefiles do it: an ELF file of two HEX files, with sections and without segments.
        for source, target, form in ((image("twocore"), "a.hex", ("-O", "ihex")),
                                     ("a.hex", "joined.elf", ("-I", "ihex", "-O", "elf32-littlearm"))):
            subprocess.run(["arm-none-eabi-objcopy", *form, os.path.join(self.folder, source), self.path(target)],
                           check=True)
        with open(self.path("joined.elf"), "rb") as file:
            self.assertEqual(file.read()[16], 1)  # an object
        (result,) = self.run_json(self.path("joined.elf"))
        self.assertEqual(result["verdict"], "pass")
        subprocess.run(["arm-none-eabi-gcc", "-c", "-x", "c", "-", "-o", self.path("object.o")], input="int a = 1;",
                       text=True, check=True)
        run = ai8xsim("run", self.path("object.o"))
        self.assertEqual(run.returncode, BAD_INPUT)
        self.assertIn("nothing to load", run.stderr)

    def test_recording(self):
        recorded = self.path("recorded.h5")
        self.assertEqual(ai8xsim("run", "--quiet", "--record", recorded, image("twocore")).returncode, OK)
        run = ai8xsim("run", "--json", "-", recorded)
        self.assertEqual(json.loads(run.stdout)["programs"][0]["checks"], 192)


class Elsewhere(Case):
    """Firmware in the place of a program."""

    def test_hex_and_binary_files(self):
        with open(image("plain"), "rb") as file:
            elf = file.read()
        table, = struct.unpack_from("<I", elf, 28)
        size, count = struct.unpack_from("<HH", elf, 42)
        flash = bytearray()
        for i in range(count):
            kind, offset, _, address, length, _ = struct.unpack_from("<6I", elf, table + i * size)
            if kind == 1 and length > 0:
                flash[address - 0x10000000:] = bytes(address - 0x10000000 - len(flash)) + elf[offset:offset + length]
        records = [":020000041000EA"]
        for i in range(0, len(flash), 16):
            if i % 65536 == 0 and i > 0:
                upper = 0x1000 + i // 65536
                data = bytes([2, 0, 0, 4, upper >> 8, upper & 255])
                records.append(":" + data.hex() + f"{-sum(data) & 255:02x}")
            data = bytes([len(flash[i:i + 16]), i >> 8 & 255, i & 255, 0]) + flash[i:i + 16]
            records.append(":" + data.hex() + f"{-sum(data) & 255:02x}")
        records.append(":00000001FF")
        with open(self.path("plain.bin"), "wb") as file:
            file.write(flash)
        with open(self.path("plain.hex"), "w", encoding="ascii") as file:
            file.write("\n".join(records) + "\n")
        expected = self.run_json(image("plain"))[0]["console"]
        for name in ("plain.bin", "plain.hex"):
            self.assertEqual(self.run_json("--part", "MAX78000", self.path(name))[0]["console"], expected, name)
        # A wrong checksum, and no end.
        for lines, pattern in ((records[:5] + [records[5][:-2] + "zz"], "line 6"), (records[:-1], "end record")):
            with open(self.path("bad.hex"), "w", encoding="ascii") as file:
                file.write("\n".join(lines) + "\n")
            run = ai8xsim("run", self.path("bad.hex"))
            self.assertEqual(run.returncode, BAD_INPUT)
            self.assertIn(pattern, run.stderr)

    def test_second_inference(self):
        recorded = self.path("second.h5")
        run = ai8xsim("run", "--quiet", "--inference", 2, "--golden", SHIPPED, "--record", recorded, image("twice"))
        self.assertEqual(run.returncode, OK, run.stdout + run.stderr)
        self.assertEqual(ai8xsim("run", recorded).returncode, OK)
        self.assertEqual(ai8xsim("run", "--inference", "all", "--golden", SHIPPED, image("twice")).returncode, OK)
        self.assertEqual(ai8xsim("check", image("twice") + "#2").returncode, OK)
        run = ai8xsim("info", image("twice") + "#3")
        self.assertEqual(run.returncode, STOPPED, run.stderr)
        self.assertIn("fewer inferences", run.stderr)

    def test_inference_option_of_other_commands(self):
        for command in ("info", "check", "profile"):
            one = ai8xsim(command, "--inference", 2, image("twice"))
            self.assertEqual(one.returncode, OK, command + one.stderr)
            self.assertEqual(one.stdout, ai8xsim(command, image("twice") + "#2").stdout, command)
            every = ai8xsim(command, "--inference=all", image("twice"))
            self.assertEqual(every.returncode, OK, command + every.stderr)
            self.assertEqual(every.stdout, ai8xsim(command, image("twice") + "#1").stdout + one.stdout, command)
        trace = self.path("trace.csv")
        self.assertEqual(ai8xsim("trace", "--inference", 2, "--to", 100, "-o", trace, image("twice")).returncode, OK)
        self.assertGreater(os.path.getsize(trace), 100)
        for value, name, pattern in (("0", image("twice"), "neither a number"), ("x", image("twice"), "neither"),
                                     ("1", SHIPPED, "is for firmware")):
            run = ai8xsim("info", "--inference", value, name)
            self.assertEqual(run.returncode, USAGE, value)
            self.assertIn(pattern, run.stderr)
        self.assertEqual(ai8xsim("info", "--inference", 3, image("twice")).returncode, STOPPED)

    def test_stub_load_and_flash(self):
        # The key that "hang" waits for is not pressed, but its function returns; a buffer is filled.
        run = ai8xsim("run", "--stub", "board_delay=0", "--flash-out", self.path("flash.bin"), image("plain"))
        self.assertEqual(run.returncode, OK, run.stdout + run.stderr)
        self.assertLess(self.run_json("--stub", "board_delay=0", image("plain"))[0]["simulated_seconds"], 0.1)
        self.assertEqual(os.path.getsize(self.path("flash.bin")), 512 << 10)
        with open(self.path("small"), "wb") as file:
            file.write(b"1234")
        self.run_json("--load", "inference_time=" + self.path("small"), image("plain"))
        for option, pattern in (("--stub=nobody=1", "no function 'nobody'"), ("--load=nobody=" + self.path("small"),
                                                                            "no symbol 'nobody'")):
            run = ai8xsim("run", option, image("plain"))
            self.assertEqual(run.returncode, USAGE, option)
            self.assertIn(pattern, run.stderr)

    def test_commands_take_firmware(self):
        known = re.findall(r"^  (\w+) ", ai8xsim("--help").stdout, re.MULTILINE)
        commands = [command for command in ("info", "check", "profile", "map") if command in known]
        self.assertIn("info", commands)
        for command in commands:
            run = ai8xsim(command, image("express"))
            self.assertEqual(run.returncode, OK, command + run.stdout + run.stderr)
            self.assertNotEqual(run.stdout, "", command)
            run = ai8xsim(command, image("hang"))
            self.assertNotEqual(run.returncode, OK, command)
            self.assertIn("UART0.STATUS", run.stdout + run.stderr, command)

    def test_nothing_is_wrong_with_good_firmware(self):
        # Some read words of which the last layer wrote a part.
        for name in good_images():
            run = ai8xsim("check", "--fail-on", "error", image(name))
            self.assertEqual(run.returncode, OK, name + run.stdout + run.stderr)

    def test_trace_takes_firmware(self):
        trace = self.path("trace.csv")
        run = ai8xsim("trace", image("express"), "--to", "500", "-o", trace)
        self.assertEqual(run.returncode, OK, run.stdout + run.stderr)
        with open(trace, encoding="ascii") as file:
            self.assertGreater(len(file.readlines()), 100)


class Failing(Case):
    """What a bad one shows."""

    def test_seeded_fault(self):
        run = ai8xsim("run", image("fault"))
        self.assertEqual(run.returncode, FAILED)
        self.assertRegex(run.stdout, r"FAIL .*Data mismatch at 0x50404000")

    def test_golden_names_the_layer(self):
        (result,) = self.run_json("--golden", SHIPPED, image("fault"), status=FAILED)
        # The bit is in a kernel of layer 1; layer 0 is right.
        self.assertEqual(result["golden"]["first_layer"], 1)
        self.assertEqual(result["verdict"], "fail")
        self.assertRegex(ai8xsim("run", "--golden", SHIPPED, image("fault")).stdout, r"golden: layer 1: 0x5040")

    def test_golden_overrules_a_pass_print(self):
        (result,) = self.run_json("--golden", SHIPPED, "--fail", "never printed", "--expect", "FAIL", image("fault"),
                                  status=FAILED)
        self.assertEqual(result["verdict"], "fail")
        self.assertIn("layer 1", result["reason"])

    def test_hang_is_explained(self):
        (result,) = self.run_json(image("hang"), status=STOPPED)
        self.assertEqual(result["end"], "timeout")
        self.assertEqual(result["polled"]["name"], "UART0.STATUS")
        self.assertEqual(result["polled"]["value"], 0x50)
        self.assertRegex(result["reason"], r"main.*polling UART0\.STATUS \(0x40042004\), which reads 0x00000050")

    def test_instruction_watchdog(self):
        (result,) = self.run_json("--max-instructions", 1000, image("plain"), status=STOPPED)
        self.assertEqual(result["end"], "timeout")
        self.assertLess(result["instructions"], 2000)

    def test_expect_and_fail(self):
        self.run_json("--expect", "192 words", image("plain"))
        self.run_json("--expect", "193 words", image("plain"), status=FAILED)
        self.run_json("--fail", "192 words", image("plain"), status=FAILED)
        self.run_json("--expect", "firmware for the", image("hang"))
        self.assertEqual(ai8xsim("run", "--expect", "(", image("plain")).returncode, USAGE)
        (result,) = self.run_json("--expect", "words", "--fail", "never printed", image("fault"), status=FAILED)
        self.assertIn("matches 'words'", result["reason"])

    def test_wrong_part(self):
        (result,) = self.run_json("--part", "MAX78002", image("plain"), status=STOPPED)
        self.assertEqual(result["end"], "accelerator")


class Reports(Case):
    """Files for CI."""

    def test_junit(self):
        run = ai8xsim("run", "--quiet", "--junit", self.path("r.xml"), image("plain"), image("fault"), image("hang"))
        self.assertEqual(run.returncode, STOPPED)
        suite = xml.etree.ElementTree.parse(self.path("r.xml")).getroot()
        self.assertEqual(suite.tag, "testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("3", "1", "1"))
        plain, fault, hang = suite.findall("testcase")
        self.assertEqual(len(plain.findall("failure")) + len(plain.findall("error")), 0)
        self.assertIn("*** PASS ***", plain.find("system-out").text)
        self.assertIn("Data mismatch", fault.find("failure").get("message"))
        self.assertIn("UART0.STATUS", hang.find("error").get("message"))

    def test_unwritable_output(self):
        for option in ("--junit", "--json", "--uart", "--record"):
            run = ai8xsim("run", "--quiet", option, self.path("missing/file"), image("plain"))
            self.assertEqual(run.returncode, RESOURCES, option)

    def test_one_image_for_one_file(self):
        self.assertEqual(ai8xsim("run", "--uart", self.path("u"), image("plain"), image("fault")).returncode, USAGE)


class Hostile(Case):
    """ELF files that are broken by accident or on purpose: a message and an exit status, never more."""

    def setUp(self):
        super().setUp()
        with open(image("plain"), "rb") as file:
            self.good = bytearray(file.read())

    def attempt(self, data, *arguments):
        with open(self.path("bad.elf"), "wb") as file:
            file.write(data)
        return ai8xsim("run", "--quiet", "--max-instructions", 3000000, *arguments, self.path("bad.elf"))

    def header(self):
        offset, = struct.unpack_from("<I", self.good, 28)
        size, count = struct.unpack_from("<HH", self.good, 42)
        return [offset + i * size for i in range(count)]

    def loadable(self):
        return next(o for o in self.header() if struct.unpack_from("<I", self.good, o)[0] == 1
                    and struct.unpack_from("<I", self.good, o + 16)[0] > 0)

    def check(self, data, pattern):
        run = self.attempt(data)
        self.assertEqual(run.returncode, BAD_INPUT, run.stdout + run.stderr)
        self.assertRegex(run.stderr, pattern)

    def test_truncated(self):
        for size in (4, 16, 51, 52, 100, 2000):
            run = self.attempt(self.good[:size])
            self.assertEqual(run.returncode, BAD_INPUT, size)
            self.assertNotEqual(run.stderr, "")

    def test_segment_outside_memory(self):
        data = bytearray(self.good)
        struct.pack_into("<I", data, self.loadable() + 12, 0x1007FFF0)
        self.check(data, "vector table|fits neither")

    def test_segment_past_the_file(self):
        data = bytearray(self.good)
        struct.pack_into("<I", data, self.loadable() + 16, 0x7FFFFFFF)
        self.check(data, "past the file")

    def test_overlapping_segments(self):
        # Two program headers, both the first segment.
        data = bytearray(self.good)
        first = self.loadable()
        size, = struct.unpack_from("<H", data, 42)
        struct.pack_into("<I", data, 28, len(data))
        struct.pack_into("<H", data, 44, 2)
        data += self.good[first:first + size] * 2
        self.check(data, "overlap")

    def test_other_machine(self):
        data = bytearray(self.good)
        for machine, pattern in ((62, "machine 62"), (243, r"RISC-V: its code lies in the Cortex-M4's image")):
            struct.pack_into("<H", data, 18, machine)
            self.check(data, pattern)

    def test_bad_vectors(self):
        offset, = struct.unpack_from("<I", self.good, self.loadable() + 4)
        for where, value, pattern in ((0, 0xFFFFFFF0, "stack"), (4, 0x10000100, "Thumb"), (4, 0x20000001, "reset vector")):
            data = bytearray(self.good)
            struct.pack_into("<I", data, offset + where, value)
            self.check(data, pattern)

    def test_wild_jump_and_wild_access(self):
        offset, entry = struct.unpack_from("<I", self.good, self.loadable() + 4)[0], None
        entry, = struct.unpack_from("<I", self.good, offset + 4)
        code = offset + (entry & ~1) - 0x10000000
        # ldr r0, [pc, #4]; bx r0 or ldr r1, [r0]; word
        for middle in (0x4700, 0x6801):
            data = bytearray(self.good)
            data[code & ~3:(code & ~3) + 16] = struct.pack("<HHHHII", 0x4801, middle, 0xE7FE, 0xBF00, 0x90000001, 0)
            struct.pack_into("<I", data, offset + 4, 0x10000000 + (code & ~3) - offset + 1)
            run = self.attempt(data)
            self.assertEqual(run.returncode, STOPPED, run.stdout + run.stderr)
            self.assertIn("0x9000000", run.stdout)

    def test_firmware_that_means_harm(self):
        # Interrupt storms on both cores, restarts, copies without end, waking without end, floods: all of them end, by
        # a fault or a watchdog that counts instructions, with what was going on.
        kinds = {"r": "code units", "s": "code units", "d": "code units|simulated", "w": "code units|simulated",
                 "e": "code units|simulated", "t": "code units|simulated", "f": "code units|bytes",
                 "i": "cannot be entered|cannot go on|fault", "g": "RISC-V core at 0x20008000 meets 0x00000000",
                 "o": "RISC-V core .*0x70000000, where the part has nothing"}
        for letter, pattern in kinds.items():
            with open(self.path("letter"), "w", encoding="ascii") as file:
                file.write(letter)
            (result,) = self.run_json("--max-instructions", 300000, "--uart0", self.path("letter"), image("hostile"), status=STOPPED)
            self.assertRegex(result["message"], pattern, letter)

    def test_random_damage(self):
        generator = random.Random(7)
        for _ in range(60):
            data = bytearray(self.good)
            for _ in range(generator.choice((1, 4, 64))):
                data[generator.randrange(4, len(data) if generator.random() < 0.3 else 4096)] = generator.randrange(256)
            run = self.attempt(data)
            self.assertIn(run.returncode, (OK, FAILED, BAD_INPUT, STOPPED), run.stderr)


if __name__ == "__main__":
    unittest.main()
