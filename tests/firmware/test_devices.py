"""What a board has outside of the chip: bytes, buttons, pictures, sound, cards, I2C devices, from files and live."""
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import unittest
import wave
import zlib

AI8XSIM = os.environ["AI8XSIM"]
FIRMWARE = os.environ["AI8XSIM_FIRMWARE"]
IMAGE = os.path.join(FIRMWARE, "devices.elf")
SHARE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "share", "boards")

OK, FAILED, USAGE, BAD_INPUT, STOPPED, RESOURCES = range(6)


def write_png(path, rows):
    """A PNG file of rows of (red, green, blue)."""
    raw = b"".join(b"\0" + bytes(value for pixel in row for value in pixel) for row in rows)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def read_png(path):
    """Rows of (red, green, blue) of a PNG file without interlacing."""
    with open(path, "rb") as file:
        data = file.read()
    at, packed, width, height = 8, b"", 0, 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", body)
            assert (depth, colour) == (8, 2), (depth, colour)
        elif kind == b"IDAT":
            packed += body
        at += 12 + size
    raw, rows, before = zlib.decompress(packed), [], bytes(3 * width)
    for y in range(height):
        kind, line = raw[y * (3 * width + 1)], bytearray(raw[y * (3 * width + 1) + 1:(y + 1) * (3 * width + 1)])
        for i in range(3 * width):
            left, up, corner = (line[i - 3] if i >= 3 else 0), before[i], (before[i - 3] if i >= 3 else 0)
            estimate = left + up - corner
            paeth = min((left, up, corner), key=lambda value: abs(estimate - value))
            line[i] = (line[i] + [0, left, up, (left + up) // 2, paeth][kind]) & 255
        rows.append([tuple(line[i:i + 3]) for i in range(0, 3 * width, 3)])
        before = bytes(line)
    return rows


def supports(option, path):
    """False where the build lacks the library that this needs."""
    run = subprocess.run([AI8XSIM, "run", option, path, IMAGE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         stdin=subprocess.DEVNULL, check=False)
    return "this build has no" not in run.stderr


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def run_letters(self, letters, *arguments, status=OK):
        """Console after these letters on UART0."""
        run = subprocess.run([AI8XSIM, "run", "--uart0", self.write("letters", letters), *arguments, IMAGE],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout if status == OK else run.stderr


class Bytes(Case):
    """UARTs."""

    def test_a_file_is_received(self):
        text = "words that are longer than the FIFO, at the pace of the baud rate"
        self.assertIn("echo: " + text + "\n", self.run_letters("e" + text + "\nq"))

    def test_by_interrupt(self):
        self.assertIn("uart1: hello there\n", self.run_letters("uq", "--uart1", self.write("second", "hello there\n")))

    def test_standard_input(self):
        run = subprocess.run([AI8XSIM, "run", "--uart0", "-", IMAGE], input="eby pipe\nq", stdout=subprocess.PIPE,
                             text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, OK)
        self.assertIn("echo: by pipe\n", run.stdout)

    def test_without_input_it_waits_and_is_stopped(self):
        run = subprocess.run([AI8XSIM, "run", IMAGE], stdout=subprocess.PIPE, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, STOPPED)
        self.assertIn("UART0.STATUS", run.stdout)

    def test_input_that_ends_too_early(self):
        self.run_letters("e", status=STOPPED)

    def converse(self, process, send, receive):
        """Types a line, and returns what comes back up to the end."""
        send(b"ehello\n")
        got = b""
        while b"hello\r\n" not in got:
            got += receive()
        send(b"q")
        while b"PASS ***\r\n" not in got:
            got += receive()
        self.assertEqual(process.wait(timeout=60), OK)
        return got

    def start(self, end):
        process = subprocess.Popen([AI8XSIM, "run", "--quiet", "--uart0", end, IMAGE], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process, re.fullmatch(r"ai8xsim: uart0: (\S+)\n", process.stderr.readline())[1]

    def test_connection(self):
        process, place = self.start("tcp:0")
        with socket.create_connection(("127.0.0.1", int(place.split(":")[1])), timeout=60) as connection:
            self.assertIn(b"echo: hello\r\n", self.converse(process, connection.sendall, lambda: connection.recv(100)))

    def test_pseudo_terminal(self):
        process, place = self.start("pty")
        terminal = os.open(place, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, terminal)
        self.assertIn(b"echo: hello\r\n",
                      self.converse(process, lambda data: os.write(terminal, data), lambda: os.read(terminal, 100)))

    def test_bad_ends(self):
        self.run_letters("q", "--uart1", "tcp:nowhere", status=USAGE)
        self.run_letters("q", "--uart1", self.path("missing"), status=BAD_INPUT)


class Pins(Case):
    """Buttons by time."""

    def test_button(self):
        events = self.write("events.csv", "seconds,pin,level\n# a comment\n0.5,P0.5,0\n3.25,SW1,press\n3.5,P0.2,1\n")
        self.assertIn("button: pin 0, P0.5 0, 3 s\n", self.run_letters("bq", "--gpio", events))

    def test_two_presses(self):
        events = self.write("events.csv", "1.25,P0.2,low\n1.5,P0.2,high\n5.5,SW1,press\n")
        console = self.run_letters("bbq", "--gpio", events)
        self.assertRegex(console, r"button: pin 0, P0.5 1, 1 s\nbutton: pin 0, P0.5 1, 5 s")

    def test_buttons_of_the_larger_kit(self):
        events = self.write("events.csv", "0.1,SW1,press\n0.2,SW4,release\n0.3,SW5,press\n")
        image = os.path.join(os.path.dirname(IMAGE), "power-78002.elf")
        run = subprocess.run([AI8XSIM, "run", "--gpio", events, "--max-seconds", "1", image], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        self.assertNotEqual(run.returncode, BAD_INPUT, run.stderr)

    def test_button_of_either_board(self):
        # Kits have SW1 at P2.6, feather boards at P0.2: without a description it is both.
        events = self.write("events.csv", "1,SW1,press\n2,SW1,release\n")
        self.assertIn("kit: 1 0 1\n", self.run_letters("tq", "--gpio", events))
        kit = os.path.join(SHARE, "max78000-evkit.yaml")
        self.assertIn("kit: 1 0 1\n", self.run_letters("tq", "--gpio", events, "--board", kit))

    def test_bad_lines(self):
        for text, pattern in (("1,P0.2", "line 1: expected"), ("x,P0.2,1", "line 1: 'x' is no time"),
                              ("1,P0.32,1", "'P0.32' is no pin"), ("1,P0.2,5", "'5' is no level"),
                              ("2,P0.2,1\n1,P0.2,0", "line 2: its time is before"), ("1,P0.3,press", "is no level"),
                              ("-1,P0.2,1", "no time"), ("1,P0.2,1,4", "expected"), ("1" * 400, "too long")):
            self.assertRegex(self.run_letters("q", "--gpio", self.write("bad.csv", text), status=BAD_INPUT), pattern)
        self.run_letters("q", "--gpio", self.path("missing.csv"), status=BAD_INPUT)


class Pictures(Case):
    """Cameras and displays."""

    def setUp(self):
        super().setUp()
        rows = [[(8 * (4 * y + x) & 0xF8, 0xFC - 16 * x & 0xFC, 0xF8) for x in range(4)] for y in range(4)]
        write_png(self.path("a.png"), rows)
        self.expected = "".join(" ".join(f"{(r >> 3) << 11 | (g >> 2) << 5 | b >> 3:04x}" for r, g, b in row) + "\n"
                                for row in rows)
        if not supports("--camera", self.path("a.png")):
            self.skipTest("no libpng")

    def test_camera(self):
        console = self.run_letters("cq", "--camera", self.path("a.png"))
        self.assertIn("camera: 76 92\nreset: 00\n" + self.expected + self.expected, console)

    def test_sleep_lasts_until_the_interrupt(self):
        self.assertIn("slept: done 1, 0 bytes left\n", self.run_letters("czq", "--camera", self.path("a.png")))

    def test_a_frame_that_nobody_reads_ends(self):
        console = self.run_letters("nczq", "--camera", self.path("a.png"))
        self.assertIn("ignored: mode 0\n", console)
        self.assertIn(self.expected + self.expected + "slept: done 1, 0 bytes left\n", console)

    def test_a_folder_is_a_film(self):
        os.mkdir(self.path("film"))
        shutil.copy(self.path("a.png"), self.path("film/1.png"))
        write_png(self.path("film/2.png"), [[(255, 0, 0)] * 8] * 8)
        console = self.run_letters("cq", "--camera", self.path("film"))
        self.assertIn(self.expected + "f800 f800 f800 f800\n" * 4, console)

    def test_other_sizes_are_scaled(self):
        write_png(self.path("large.png"), [[(8, 16, 24) if (x + y) % 2 else (24, 48, 8) for x in range(64)] for y in range(64)])
        self.assertIn("camera: 76 92\nreset: 00\n" + "1102 1102 1102 1102\n" * 8,
                      self.run_letters("cq", "--camera", self.path("large.png")))

    def test_frames_take_their_time(self):
        # 800,000 clocks of the sensor, and what it takes to begin.
        console = self.run_letters("rq", "--camera", self.path("a.png"))
        first, second = map(int, re.search(r"rate: (\d+) (\d+) ms", console).groups())
        self.assertAlmostEqual(first, 170, delta=3)
        self.assertAlmostEqual(second, 330, delta=3)

    def test_without_a_camera_nobody_answers(self):
        self.run_letters("cq", status=STOPPED)

    def test_display(self):
        console = self.run_letters("dq", "--display", self.path("out.png"))
        self.assertIn("display: done\n", console)
        rows = read_png(self.path("out.png"))
        self.assertEqual((len(rows), len(rows[0])), (240, 320))
        colours = {10: (255, 0, 0), 30: (0, 255, 0), 50: (0, 0, 255)}
        for y, row in enumerate(rows):
            for x, pixel in enumerate(row):
                first = x - (x - 10) % 20 if x >= 10 else 0
                inside = first in colours and x - first < 10 and 5 <= y <= 9
                self.assertEqual(pixel, colours[first] if inside else (0, 0, 0), (x, y))

    def test_sent_by_hand(self):
        self.assertIn("by hand: done 1, busy 0\n", self.run_letters("hq"))

    def test_bad_pictures(self):
        self.assertIn("not a PNG", self.run_letters("q", "--camera", self.write("b.png", b"text"), status=BAD_INPUT))
        os.mkdir(self.path("empty"))
        self.assertIn("no PNG file", self.run_letters("q", "--camera", self.path("empty"), status=BAD_INPUT))
        self.run_letters("q", "--camera", self.path("missing.png"), status=BAD_INPUT)
        self.run_letters("q", "--display", self.path("missing/out.png"), status=RESOURCES)


class Sound(Case):
    """A microphone."""

    def record(self, samples, rate=16000):
        with wave.open(self.path("sound.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
        if not supports("--i2s", self.path("sound.wav")):
            self.skipTest("no libsndfile")
        return self.path("sound.wav")

    def heard(self, samples, rate=16000):
        console = self.run_letters("sq", "--i2s", self.record(samples, rate))
        return [int(word) for word in re.search(r"sound:(.*)\n", console)[1].split()]

    def test_samples(self):
        samples = [0, 1, -1, 32767, -32768, 100, 200, 300, -400, 5, 6, 7]
        self.assertEqual(self.heard(samples), samples)

    def test_level(self):
        path = self.record([16384, -16384, 20])
        self.assertIn("sound: 1033 -1034 1 0", self.run_letters("sq", "--i2s", path, "--i2s-level", "-24"))
        board = self.write("board.yaml", "sound: sound.wav\nsound_level: -24\n")
        self.assertIn("sound: 1033 -1034 1 0", self.run_letters("sq", "--board", board))
        for level in ("1", "-121", "loud", "nan", ""):
            self.assertIn("level", self.run_letters("q", "--i2s", path, "--i2s-level", level, status=USAGE))

    def test_more_bits(self):
        with wave.open(self.path("wide.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(4)
            file.setframerate(16000)
            file.writeframes(struct.pack("<6i", 5 << 24, 1, -(3 << 24), 1, 7 << 16, 1))
        if supports("--i2s", self.path("wide.wav")):
            self.assertIn("sound: 1280 -768 7 0", self.run_letters("sq", "--i2s", self.path("wide.wav")))

    def test_another_rate(self):
        self.assertEqual(self.heard([0, 100, 200, 300, 400, 500, 600], 8000)[:10],
                         [0, 50, 100, 150, 200, 250, 300, 350, 400, 450])

    def test_by_interrupt(self):
        samples = list(range(1, 41))
        console = self.run_letters("lq", "--i2s", self.record(samples))
        got = [int(word) for word in re.search(r"by interrupt:(.*)\n", console)[1].split()]
        self.assertGreaterEqual(len(got), 12)
        self.assertEqual(got, samples[:len(got)])

    def test_silence_follows(self):
        self.assertEqual(self.heard([5, 5]), [5, 5] + [0] * 10)

    def test_not_a_sound(self):
        self.record([1])
        self.assertIn("not a sound file", self.run_letters("q", "--i2s", self.write("b.wav", b"x" * 100), status=BAD_INPUT))


class Cards(Case):
    """SD cards."""

    def test_read_and_write(self):
        content = b"\0" * 512 + b"On The Second Block".ljust(512, b"\0") + b"\xff" * 512 * 14
        card = self.write("card.img", content)
        console = self.run_letters("kq", "--card", card, "--card-out", self.path("after.img"))
        self.assertIn("card: 01 01 00 c0\nbeyond: 20\nread: 00 On The Second Bl\nwrite: 00 05\n", console)
        with open(card, "rb") as file:
            self.assertEqual(file.read(), content)
        with open(self.path("after.img"), "rb") as file:
            after = file.read()
        self.assertEqual(len(after), len(content))
        self.assertEqual(after[1024:1043], bytes(value ^ 0x20 for value in b"On The Second Block"))
        self.assertEqual((after[1043:1536], after[1536:]), (b"." * 493, content[1536:]))

    def test_bad_images(self):
        for content in (b"", b"x" * 513):
            self.assertIn("card", self.run_letters("q", "--card", self.write("bad.img", content), status=BAD_INPUT))


class Files(Case):
    """Semihosting by newlib."""

    def run_semihosting(self, *arguments, status=OK):
        run = subprocess.run([AI8XSIM, "run", *arguments, os.path.join(FIRMWARE, "semihosting.elf")], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def test_files(self):
        os.mkdir(self.path("inside"))
        self.write("secret", "not for the image")
        self.write("inside/in.txt", "first line\nsecond line\n")
        os.symlink("../secret", self.path("inside/link"))
        os.mkfifo(self.path("inside/pipe"))
        console = self.run_semihosting("--files", self.path("inside"))
        self.assertIn("in.txt: first line, 23 bytes, at 6: line\n", console)
        for name in ("missing", "../secret", "link", "pipe", "folder/../../secret", "/../secret"):
            self.assertRegex(console, rf"(?m)^{re.escape(name)}: refused, errno [1-9]", name)
        self.assertIn("closed twice: 9\nread nothing: 0\ntty: 1 0\n*** PASS ***\ncode 7\n", console)
        with open(self.path("inside/out.txt"), "rb") as file:
            self.assertEqual(file.read(), b"0123456789" * 1000 + b"end\n")
        self.assertFalse(os.path.exists(self.path("inside/gone")))
        self.assertTrue(os.path.exists(self.path("inside/renamed")))

    def test_without_a_folder_there_are_no_files(self):
        console = self.run_semihosting(status=FAILED)
        self.assertIn("in.txt: refused, errno 13", console)
        self.assertIn("code 9", console)

    def test_no_such_folder(self):
        self.assertIn("No such file", self.run_semihosting("--files", self.path("missing"), status=BAD_INPUT))


class Traces(Case):
    """Value change dumps."""

    def test_vcd(self):
        path = self.path("board.vcd")
        run = subprocess.run([AI8XSIM, "run", "--vcd", path, os.path.join(FIRMWARE, "express.elf")],
                             stdout=subprocess.PIPE, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, OK)
        with open(path, encoding="ascii") as file:
            lines = file.read().split("\n")
        names = {line.split()[3]: line.split()[4] for line in lines if line.startswith("$var")}
        codes = {name: code for code, name in names.items()}
        time, changes = 0, []
        for line in lines[lines.index("$enddefinitions $end") + 1:]:
            if line.startswith("#"):
                self.assertGreaterEqual(int(line[1:]), time)
                time = int(line[1:])
            elif line:
                value, code = line[1:].split() if line[0] == "b" else (line[0], line[1:])
                changes.append((time, names[code], int(value, 2)))
        # What it printed, the run's 4,353 cycles at 50 MHz, and the accelerator's interrupt.
        sent = "".join(chr(value) for _, name, value in changes if name == "uart0" and value not in (0, 13))
        self.assertTrue(run.stdout.startswith(sent), sent)
        self.assertIn("PASS", sent)
        begin, end = [when for when, name, _ in changes if name == "cnn_runs"][1:]
        self.assertAlmostEqual(end - begin, 4353 * 20, delta=200)
        self.assertIn(16 + 101, [value for _, name, value in changes if name == "exception"])
        self.assertIn("sleeps", codes)
        # What the accelerator does inside of it, in the same file: both layers, one after the other.
        layers = [(when, value) for when, name, value in changes if name == "cnn_layer" and begin <= when <= end]
        self.assertEqual([value for _, value in layers], [1, 0, 2, 0])
        self.assertAlmostEqual(layers[-1][0] - begin, 4353 * 20, delta=40)
        self.assertGreater(len([value for when, name, value in changes if name == "cnn_state" and begin < when < end]), 100)
        self.assertEqual([value for when, name, value in changes if name == "phase" and when <= end][:3], [0, 1, 2])

    def test_it_cannot_be_written(self):
        self.run_letters("q", "--vcd", self.path("missing/board.vcd"), status=RESOURCES)


class Boards(Case):
    """Descriptions in YAML."""

    def test_i2c_devices(self):
        board = self.write("board.yaml", "name: a test\ni2c:\n  - name: ADXL343\n    bus: 1\n    address: 0x1D\n"
                                         "    registers: {0x00: 0xE5, 0x01: 0x5A, 0x32: [0x10, 0x20]}\n"
                                         "  - {address: 0x40, commands: {0xE3: [0x66, 0x4C, 0x92]}}\n")
        console = self.run_letters("iq", "--board", board)
        self.assertIn("i2c 1d: e5 5a\ni2c 1d: 10\ni2c 1d: 20\ni2c 40: 66 4c 92\ni2c: nobody at 50\n", console)

    def test_power_manager_of_every_board(self):
        self.assertIn("i2c 28: 02\n", self.run_letters("pq"))
        # It is on bus 1, not on the camera's wires.
        self.assertIn("wires: nobody\n", self.run_letters("wq"))
        write_png(self.path("eye.png"), [[(0, 0, 0)] * 2] * 2)
        if supports("--camera", self.path("eye.png")):
            self.assertIn("wires: 3c\n", self.run_letters("wq", "--camera", self.path("eye.png")))
        own = self.write("board.yaml", "i2c:\n  - {bus: 1, address: 0x28, registers: {0x00: 0x55}}\n")
        self.assertIn("i2c 28: 55\n", self.run_letters("pq", "--board", own))

    def test_everything_in_one_file(self):
        self.write("events.csv", "2,KEY,press\n")
        self.write("card.img", b"\0" * 1024)
        board = self.write("board.yaml", "buttons:\n  KEY: {pin: P0.2, active: low}\ngpio: events.csv\n"
                                         "card: {spi: 1, image: card.img, out: after.img}\n")
        self.assertRegex(self.run_letters("bq", "--board", board), "button: pin 0")
        self.assertTrue(os.path.exists(self.path("after.img")))

    def test_shipped_boards(self):
        names = sorted(os.listdir(SHARE))
        self.assertIn("max78000-evkit.yaml", names)
        for name in names:
            self.run_letters("q", "--board", os.path.join(SHARE, name))

    def test_bad_descriptions(self):
        for text, pattern in (("nonsense: 1", "line 1: unknown name: nonsense"), ("[", "line"), ("- 1", "names and values"),
                              ("camera:\n  size: big", "line 2: expected a size"), ("buttons: {A: {pin: P9.1}}", "a pin"),
                              ("i2c:\n- {address: 300}", "line 2: expected an address"),
                              ("i2c: [{address: 1, registers: {0: 256}}]", "expected a byte"),
                              ("i2c: [{address: 1, registers: {0: []}}]", "an empty list"),
                              ("display: {controller: XYZ, picture: o.png}", "display controller 'XYZ' is not known"),
                              ("wires: [{clock: P0.1, data: P0.40}]", "a pin"), ("name: [1]", "a text"), ("sound_level: 3", "line 1: expected a level"), ("sound_level: []", "a level"),
                              ("camera: {sensor: XYZ, picture: o.png}", "camera 'XYZ' is not known")):
            self.assertRegex(self.run_letters("q", "--board", self.write("b.yaml", text), status=BAD_INPUT), pattern, text)
        self.run_letters("q", "--board", self.path("missing.yaml"), status=BAD_INPUT)


if __name__ == "__main__":
    unittest.main()
