"""Firmware in a debugger: gdb itself, and the remote protocol by hand."""
import os
import re
import shutil
import socket
import subprocess
import unittest

AI8XSIM = os.environ["AI8XSIM"]
FIRMWARE = os.environ["AI8XSIM_FIRMWARE"]
GDB = shutil.which("gdb-multiarch")


def image(name):
    """Path of a test image."""
    return os.path.join(FIRMWARE, name + ".elf")


class Session:
    """A run that waits for a debugger."""

    def __init__(self, name, *arguments):
        self.run = subprocess.Popen([AI8XSIM, "run", "--gdb", "0", *arguments, image(name)], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", self.run.stderr.readline())[1])

    def end(self):
        """What it printed, and its exit status."""
        out, err = self.run.communicate(timeout=60)
        return out + err, self.run.returncode


class Wire:
    """The protocol without gdb."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")

    def send(self, body):
        data = body.encode("latin-1")
        self.socket.sendall(b"$" + data + b"#%02x" % (sum(data) & 255))

    def answer(self):
        """The next packet's body."""
        while self.file.read(1) != b"$":
            pass
        body = bytearray()
        while (byte := self.file.read(1)) != b"#":
            assert byte != b"", "the connection is closed"
            body += byte
        self.file.read(2)
        self.socket.sendall(b"+")
        return body.decode("latin-1")

    def ask(self, body):
        self.send(body)
        return self.answer()

    def close(self):
        self.file.close()
        self.socket.close()


@unittest.skipIf(GDB is None, "gdb-multiarch is missing")
class WithGdb(unittest.TestCase):
    """What a user types."""

    def debug(self, name, *commands, arguments=(), code=0):
        session = Session(name, *arguments)
        script = ["-ex", "set confirm off", "-ex", "set pagination off", "-ex",
                  f"target remote 127.0.0.1:{session.port}"]
        for command in commands:
            script += ["-ex", command]
        gdb = subprocess.run([GDB, "--batch", "--nx", *script, image(name)], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
        out, status = session.end()
        self.assertEqual(status, code, out + gdb.stdout)
        return gdb.stdout, out

    def test_breakpoints_and_the_end(self):
        shown, out = self.debug("express", "info registers pc", "break main", "continue", "break verify", "break acknowledge",
                                "continue", "backtrace", "continue", "p $pc == &verify", "delete", "continue")
        self.assertIn("reset_handler", shown)
        self.assertRegex(shown, r"Breakpoint 1, main \(\)")
        self.assertIn("<signal handler called>", shown)
        self.assertIn("exited normally", shown)
        self.assertIn("*** PASS ***", out)

    def test_a_debugger_costs_no_simulated_time(self):
        # Stops in the middle of blocks, steps, watchpoints: the firmware prints the same microseconds, and the run takes
        # as long.
        _, out = self.debug("express", "break main", "continue", *["stepi"] * 30, "watch inference_time", "continue",
                            "delete", "continue", arguments=("--json", "-"))
        plain = subprocess.run([AI8XSIM, "run", "--json", "-", image("express")], stdout=subprocess.PIPE, text=True,
                               check=True)
        for key in ("instructions", "console"):
            pattern = rf'"{key}": ([^\n]*)'
            self.assertEqual(re.search(pattern, out)[1], re.search(pattern, plain.stdout)[1], key)
        # The estimate of a block's cycles may see another block before it where the core stopped: a few cycles in all.
        pattern = r'"simulated_seconds": ([0-9.]+)'
        self.assertAlmostEqual(float(re.search(pattern, out)[1]), float(re.search(pattern, plain.stdout)[1]), delta=1e-6)

    def test_steps(self):
        shown, _ = self.debug("core", "break main", "continue", "next", "stepi", "x/i $pc", "stepi", "nexti", "info line",
                              "kill", code=1)
        self.assertIn("main ()", shown)
        self.assertRegex(shown, r"=> 0x1000[0-9a-f]+")

    def test_hardware_watchpoints(self):
        shown, _ = self.debug("express", "watch inference_time", "continue", "backtrace 1", "kill", code=1)
        self.assertRegex(shown, r"Hardware watchpoint 1: inference_time\s+Old value = 0\s+New value = [1-9]")
        self.assertRegex(shown, r"#0 .*(acknowledge|cnn_handler)")
        shown, _ = self.debug("express", "break load", "continue", "rwatch inference_time", "continue", "delete",
                              "awatch inference_time", "continue", "kill", code=1)
        self.assertIn("Hardware read watchpoint 2", shown)
        self.assertIn("Hardware access (read/write) watchpoint 3", shown)

    def test_registers_and_memory(self):
        shown, out = self.debug("express", "break verify", "continue", "set var $d3 = 2.5", "p $d3", "p/x $r4 = 0x1234",
                                "p/x $r4 + 1", "info registers xpsr msp psp primask basepri faultmask control fpscr",
                                "x/2wx 0x50404000", "p/x *(unsigned *)0xE000ED00", "p/x *(unsigned *)0x40042004",
                                "set var inference_time = 77", "p inference_time", "x/wx 0x90000000", "detach")
        self.assertIn("= 2.5", shown)
        self.assertIn("0x1235", shown)
        for name in ("xpsr", "msp", "psp", "primask", "basepri", "faultmask", "control", "fpscr"):
            self.assertRegex(shown, rf"(?m)^{name} ", name)
        self.assertIn("0x410fc241", shown)
        self.assertRegex(shown, r"0x50404000:\s+0x[0-9a-f]{8}")
        self.assertIn("= 77", shown)
        self.assertIn("Cannot access memory at address 0x90000000", shown)
        # Detached, it goes on by itself.
        self.assertIn("*** PASS ***", out)

    def test_monitor(self):
        shown, _ = self.debug("express", "break load", "continue", "monitor cnn", "monitor layers", "break verify",
                              "continue", "monitor cnn", "monitor layers", "monitor registers", "monitor registers 1",
                              "monitor memory 0x50404000 2", "monitor memory layer 1 0", "monitor cycles", "monitor help",
                              "monitor nonsense", "kill", code=1)
        self.assertIn("0 inferences started", shown)
        self.assertIn("no layer has run", shown)
        self.assertIn("2 layers, 4353 cycles", shown)
        self.assertRegex(shown, r"layer 1: 2-operand add.*1588 cycles")
        self.assertRegex(shown, r"group 0  CTL ")
        self.assertRegex(shown, r"group 0  RCNT ")
        self.assertRegex(shown, r"output of layer 1: 12 x 8 x 8\s+channel 0:\s+-?\d+")
        self.assertRegex(shown, r"0x50404000  0x[0-9a-f]{8} +-?\d+ +-?\d+ +-?\d+ +-?\d+")
        self.assertIn("inference 1: 4353 cycles", shown)
        self.assertIn("'nonsense' is not known", shown)

    @unittest.skipUnless(os.path.exists(image("twocore-spin")), "no compiler for the second core")
    def test_second_core(self):
        shown, _ = self.debug("twocore-spin", "monitor riscv", "break board_put", "continue", "monitor riscv", "kill", code=1)
        self.assertIn("the RISC-V core was not started", shown)
        self.assertRegex(shown, r"the RISC-V core (runs|sleeps|loops for ever): pc 0x[0-9a-f]{8}, mstatus 0x")
        self.assertRegex(shown, r"zero 0x00000000  ra   0x[0-9a-f]{8}  sp   0x2[0-9a-f]{7}")

    def test_exit_status(self):
        shown, _ = self.debug("core", "continue")
        self.assertIn("exited normally", shown)
        # What the machine stops can be looked at, then it is over.
        shown, _ = self.debug("express", "set var $pc = 0x90000000", "continue", "info registers pc", "continue",
                              code=4)
        self.assertIn("SIGSEGV", shown)
        self.assertIn("exited with code 04", shown)

    def test_a_handler_is_debugged_like_any_code(self):
        shown, _ = self.debug("tasks", "break main", "continue", "info breakpoints", "delete", "continue")
        self.assertIn("exited normally", shown)


class ByHand(unittest.TestCase):
    """Packets that gdb does not send, and interruptions at a known place."""

    def start(self, name, *arguments):
        session = Session(name, *arguments)
        wire = Wire(session.port)
        self.addCleanup(wire.close)
        self.addCleanup(session.run.kill)
        self.addCleanup(session.run.stdout.close)
        self.addCleanup(session.run.stderr.close)
        return session, wire

    def test_interrupt(self):
        # Two instructions for ever.
        session, wire = self.start("core", "--max-instructions", "1000000000000", "--max-seconds", "10000")
        self.assertEqual(wire.ask("M20000000,4:00bffde7"), "OK")
        self.assertEqual(wire.ask("Pf=00000020"), "OK")
        wire.send("c")
        wire.socket.sendall(b"\x03")
        self.assertRegex(wire.answer(), "^T02")
        wire.send("k")
        self.assertEqual(session.run.wait(timeout=60), 1)

    def test_packets(self):
        session, wire = self.start("express")
        supported = wire.ask("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+")
        for word in ("PacketSize=", "qXfer:features:read+", "vContSupported+", "QStartNoAckMode+"):
            self.assertIn(word, supported)
        self.assertEqual(wire.ask("vCont?"), "vCont;c;C;s;S")
        self.assertRegex(wire.ask("?"), "^T05")
        self.assertEqual(wire.ask("qC"), "QC1")
        self.assertEqual(len(wire.ask("g")), 2 * (4 * 24 + 8 * 16))
        for number in (0, 16, 17, 33, 39):
            self.assertRegex(wire.ask(f"p{number:x}"), "^([0-9a-f]{8}){1,2}$")
        for bad in ("p28", "pffffffff", "P0", "P0=12", "m", "m20000000,ffffffff", "M20000000,4:12", "Z1,zz", "Z2,20000000,0",
                    "X20000000,8:ab", "qXfer:features:read:target.xml:ffff,10"):
            self.assertRegex(wire.ask(bad), "^E", bad)
        for unknown in ("", "R00", "qNonsense", "vNonsense", "Z9,0,0", "_"):
            self.assertEqual(wire.ask(unknown), "", unknown)
        self.assertEqual(wire.ask("M20000100,4:01020304"), "OK")
        self.assertEqual(wire.ask("m20000100,4"), "01020304")
        self.assertEqual(wire.ask("X20000100,2:}\x03a"), "OK")
        self.assertEqual(wire.ask("m20000100,4"), "23610304")
        # The binary way into flash.
        self.assertEqual(wire.ask("vFlashErase:10060000,2000"), "OK")
        self.assertEqual(wire.ask("vFlashWrite:10060000:abcd"), "OK")
        self.assertEqual(wire.ask("vFlashDone"), "OK")
        self.assertEqual(wire.ask("m10060000,6"), "61626364ffff")
        # More breakpoints than there is room for.
        results = [wire.ask(f"Z0,{0x10000000 + 2 * i:x},2") for i in range(257)]
        self.assertEqual((results[255], results[256]), ("OK", "E01"))
        for i in range(256):
            self.assertEqual(wire.ask(f"z0,{0x10000000 + 2 * i:x},2"), "OK")
        wire.send("vCont;s:1")
        self.assertRegex(wire.answer(), "^T05")
        # A packet with a wrong sum is asked for again.
        wire.socket.sendall(b"$g#00")
        self.assertEqual(wire.file.read(1), b"-")
        self.assertEqual(wire.ask("D"), "OK")
        out, status = session.end()
        self.assertEqual(status, 0, out)

    def test_noise(self):
        session, wire = self.start("express")
        wire.socket.sendall(bytes(range(256)) * 200 + b"$" + b"x" * 100000 + b"#00")
        wire.close()
        self.assertEqual(session.run.wait(timeout=60), 1)

    def test_a_lost_debugger_ends_the_run(self):
        session, wire = self.start("express")
        wire.close()
        out, status = session.end()
        self.assertEqual(status, 1)
        self.assertIn("the debugger went away", out)

    def test_one_image(self):
        run = subprocess.run([AI8XSIM, "run", "--gdb", "0", image("core"), image("tasks")], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, 2)


if __name__ == "__main__":
    unittest.main()
