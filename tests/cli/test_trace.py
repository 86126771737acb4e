"""ai8xsim trace: every format is read back by a reader of its own and compared with what the run counted."""
import collections
import csv
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

AI8XSIM = os.environ["AI8XSIM"]
SHIPPED = os.path.join(os.environ["AI8XSIM_SOURCE"], "golden", "residual2-max78000.h5")
GOLDEN = os.environ["AI8XSIM_GOLDEN"]

OK, FAILED, USAGE, BAD_INPUT = range(4)
PERIOD = 20000  # ps of a cycle at 50 MHz
STATES = ["start", "read", "pool-read", "pad", "tram", "fill", "output", "row-end", "seek", "flatten", "stall",
          "pipeline"]
CAUSES = {"read": ["read"], "pool_read": ["pool-read"], "tram": ["tram"], "pad": ["pad"], "fill": ["fill"],
          "output": ["output"], "setup": ["start", "row-end", "seek", "flatten"], "pipeline": ["pipeline"],
          "stall": ["stall"]}


def ai8xsim(*arguments):
    """Runs the program under test."""
    return subprocess.run([AI8XSIM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=120)


def profile(program, *options):
    """The profile as JSON."""
    result = ai8xsim("profile", program, "--json", "-", *options)
    assert result.returncode == OK, result.stderr
    return json.loads(result.stdout)["profile"]


class Vcd:
    """A strict reader of value change dumps: anything that is not in the standard's grammar is refused."""

    def __init__(self, path):
        self.names, self.widths, self.changes, self.end = {}, {}, [], None
        with open(path, encoding="ascii") as file:
            words = iter(file.read().split())
        scopes, time, values = [], None, {}
        for word in words:
            if word == "$enddefinitions":
                assert next(words) == "$end"
                break
            body = []
            while (token := next(words)) != "$end":
                body.append(token)
            if word == "$scope":
                assert body[0] == "module"
                scopes.append(body[1])
            elif word == "$upscope":
                scopes.pop()
            elif word == "$var":
                kind, width, identifier, name = body[:4]
                assert kind == "wire" and identifier not in self.widths
                assert len(body) == 4 or body[4] == f"[{int(width) - 1}:0]"
                self.widths[identifier] = int(width)
                self.names[".".join(scopes + [name])] = identifier
            elif word == "$timescale":
                assert body == ["1", "ps"]
            else:
                assert word == "$comment", word
        assert not scopes
        for word in words:
            if word[0] == "#":
                assert time is None or int(word[1:]) > time
                time = int(word[1:])
                continue
            if word[0] == "b":
                bits, identifier = word[1:], next(words)
                assert len(bits) <= self.widths[identifier] and set(bits) <= {"0", "1"}
                value = int(bits, 2)
            else:
                value, identifier = int(word[0]), word[1:]
                assert value in (0, 1) and self.widths[identifier] == 1
            assert values.get(identifier) != value, "a change that changes nothing"
            values[identifier] = value
            self.changes.append((time, identifier, value))
        self.end = time

    def waveform(self, name):
        """[(start, end, value)] of a signal."""
        identifier, result = self.names[name], []
        changes = [(time, value) for time, i, value in self.changes if i == identifier]
        for (time, value), following in zip(changes, changes[1:] + [(self.end, None)]):
            result.append((time, following[0], value))
        return result


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def trace(self, suffix, *options, program=SHIPPED):
        """Path of a fresh trace."""
        path = os.path.join(self.folder, "trace" + suffix)
        result = ai8xsim("trace", program, "-o", path, *options)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertEqual(os.listdir(self.folder), [os.path.basename(path)])
        return path


class ValueChanges(Case):
    """.vcd"""

    def test_cycles_of_every_state(self):
        """The time that the state signal holds each value is what the profile says, to the cycle."""
        wanted = profile(SHIPPED)
        counted = collections.Counter()
        for start, end, state in Vcd(self.trace(".vcd")).waveform("ai8x.sequencer.state"):
            self.assertEqual((end - start) % PERIOD, 0)
            counted[STATES[state]] += (end - start) // PERIOD
        self.assertEqual(sum(counted.values()), wanted["cycles"])
        for cause, states in CAUSES.items():
            self.assertEqual(sum(counted[state] for state in states), wanted["causes"][cause], cause)

    def test_layers(self):
        """The layer signal changes when layers start."""
        wanted = [(layer["start_cycle"], layer["layer"]) for layer in profile(SHIPPED)["layers"]]
        seen = [(start // PERIOD, value) for start, _, value in Vcd(self.trace(".vcd")).waveform("ai8x.sequencer.layer")]
        # The start cycle itself counts as layer 0.
        self.assertEqual(seen[1:], wanted[1:])

    def test_words_moved(self):
        """The pulses of reads and writes add up to the words that the layers move."""
        vcd = Vcd(self.trace(".vcd"))
        wanted = profile(SHIPPED)["layers"]
        for signal, key in (("ai8x.read_pointers.reads", "words_read"), ("ai8x.write_pointers.writes", "words_written")):
            words = sum((end - start) // PERIOD * value.bit_count() for start, end, value in vcd.waveform(signal))
            self.assertEqual(words, sum(layer[key] for layer in wanted), signal)

    def test_gtkwave_reads_it(self):
        """GTKWave's own reader takes the file and finds the same signals."""
        reader, writer = shutil.which("vcd2fst"), shutil.which("fst2vcd")
        if reader is None or writer is None:
            self.skipTest("GTKWave's vcd2fst and fst2vcd are not installed")
        path = self.trace(".vcd")
        subprocess.run([reader, path, path + ".fst"], check=True, timeout=60, stdout=subprocess.DEVNULL)
        back = subprocess.run([writer, path + ".fst"], check=True, timeout=60, stdout=subprocess.PIPE, text=True).stdout
        self.assertEqual(back.count("$var "), len(Vcd(path).names))

    def test_fifo_levels(self):
        """FIFO levels rise and fall within the FIFO's depth."""
        program = os.path.join(GOLDEN, "max78000", "fifostream-pool-hwc.h5")
        if not os.path.exists(program):
            self.skipTest("no golden programs here")
        levels = [value for _, _, value in Vcd(self.trace(".vcd", program=program)).waveform("ai8x.fifo.level_0")]
        self.assertEqual(min(levels), 0)
        self.assertGreater(max(levels), 0)
        self.assertLessEqual(max(levels), 8)

    def test_parts(self):
        """--signals leaves the others out; --from and --to cut."""
        vcd = Vcd(self.trace(".vcd", "--signals", "sequencer,fifo", "--from", 100, "--to", 200))
        self.assertTrue(all(name.split(".")[1] in ("sequencer", "fifo") for name in vcd.names))
        self.assertEqual(min(time for time, _, _ in vcd.changes), 100 * PERIOD)
        self.assertEqual(vcd.end, 200 * PERIOD)

    def test_one_layer(self):
        """--from L1 --to L1 shows layer 1 only."""
        layer = profile(SHIPPED)["layers"][1]
        vcd = Vcd(self.trace(".vcd", "--from", "L1", "--to", "L1"))
        self.assertEqual({value for _, _, value in vcd.waveform("ai8x.sequencer.layer")}, {1})
        self.assertEqual(vcd.changes[0][0] // PERIOD, layer["start_cycle"])
        self.assertEqual(vcd.end // PERIOD, layer["stop_cycle"])

    def test_clock(self):
        """--clock sets the time axis."""
        vcd = Vcd(self.trace(".vcd", "--clock", "PCLK/2", "--to", 10))
        self.assertEqual(vcd.end, 10 * 2 * PERIOD)


class TraceEvents(Case):
    """.json"""

    def events(self, *options, program=SHIPPED):
        """The events."""
        with open(self.trace(".json", *options, program=program), encoding="utf-8") as file:
            return json.load(file)["traceEvents"]

    def test_tracks(self):
        """One named track for each group and memory."""
        names = {event["args"]["name"] for event in self.events() if event.get("name") == "thread_name"}
        wanted = {f"group {i}" for i in range(4)} | {"sequencer", "line buffer"}
        wanted |= {f"data memory {what} {i}" for i in range(16) for what in ("reads", "writes")}
        self.assertLessEqual(wanted, names)

    def test_states(self):
        """The sequencer's slices add up to the run, state by state."""
        causes, counted = profile(SHIPPED)["causes"], collections.Counter()
        for event in self.events("--signals", "sequencer"):
            if event["ph"] == "X" and event["tid"] == 1:
                counted[event["name"]] += round(event["dur"] * 50)
        for cause, states in CAUSES.items():
            self.assertEqual(sum(counted[state] for state in states), causes[cause], cause)

    def test_layers_open_and_close(self):
        """Every layer begins and ends, in order, on its track."""
        open_layers, seen = collections.Counter(), 0
        for event in self.events():
            if event["ph"] == "B":
                open_layers[event["tid"]] += 1
                seen += 1
                self.assertEqual(open_layers[event["tid"]], 1)
            elif event["ph"] == "E":
                open_layers[event["tid"]] -= 1
        self.assertEqual(seen, len(profile(SHIPPED)["layers"]))
        self.assertFalse(+open_layers)

    def test_cut_off_layer_is_closed(self):
        """A trace that ends in the middle of a layer ends the layer's slice."""
        phases = [event["ph"] for event in self.events("--to", 50)]
        self.assertEqual(phases.count("B"), phases.count("E"))


class Lines(Case):
    """.csv"""

    def test_every_cycle_has_a_line(self):
        """State lines follow each other without gap or overlap."""
        with open(self.trace(".csv"), encoding="ascii", newline="") as file:
            rows = list(csv.DictReader(file))
        cycle = 0
        for row in rows:
            if row["event"] == "state":
                self.assertEqual(int(row["cycle"]), cycle)
                cycle += int(row["cycles"])
        self.assertEqual(cycle, profile(SHIPPED)["cycles"])
        self.assertTrue(all(None not in row and None not in row.values() for row in rows), "ragged lines")


class Refusals(Case):
    """Bad calls say what is wrong and leave no file."""

    def refused(self, status, text, *arguments):
        """The call fails and explains."""
        result = ai8xsim("trace", *arguments)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertIn(text, result.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_calls(self):
        """Usage."""
        out = os.path.join(self.folder, "out.vcd")
        self.refused(USAGE, "no program", "-o", out)
        self.refused(USAGE, "no file to write", SHIPPED)
        self.refused(USAGE, "ends in none of", SHIPPED, "-o", out + ".txt")
        self.refused(USAGE, "unknown signals 'noise'", SHIPPED, "-o", out, "--signals", "sequencer,noise")
        self.refused(USAGE, "is not a number", SHIPPED, "-o", out, "--from", "soon")
        self.refused(USAGE, "before its beginning", SHIPPED, "-o", out, "--from", 100, "--to", 50)
        self.refused(USAGE, "layer 9 does not run", SHIPPED, "-o", out, "--from", "L9")
        self.refused(USAGE, "nothing to trace between", SHIPPED, "-o", out, "--from", "L1", "--to", "L0")
        self.refused(USAGE, "nothing to trace between", SHIPPED, "-o", out, "--from", "L1", "--to", 50)
        self.refused(USAGE, "the run ends after 4353 cycles", SHIPPED, "-o", out, "--from", 4353)
        self.refused(USAGE, "no clock of the MAX78000", SHIPPED, "-o", out, "--clock", "IPLL")
        self.refused(BAD_INPUT, "nowhere.h5", os.path.join(self.folder, "nowhere.h5"), "-o", out)

    def test_interrupted(self):
        """Nothing half written stays behind; a trace that was done before the signal came is tried again."""
        program = os.path.join(os.environ["AI8XSIM_SOURCE"], "models", "wide", "wide.h5")
        out = os.path.join(self.folder, "out.csv")
        status = OK
        while status == OK:
            process = subprocess.Popen([AI8XSIM, "trace", program, "-o", out, "--signals", "all"])
            while process.poll() is None and not os.listdir(self.folder):
                pass
            process.send_signal(signal.SIGINT)
            status = process.wait(timeout=60)
            if status == OK:
                os.remove(out)
        self.assertEqual(status, -signal.SIGINT)
        self.assertEqual(os.listdir(self.folder), [])

    def test_unwritable(self):
        """A folder that is not there."""
        self.refused(5, "cannot write", SHIPPED, "-o", os.path.join(self.folder, "none", "out.vcd"))


if __name__ == "__main__":
    unittest.main()
