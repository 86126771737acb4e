#!/usr/bin/python3
"""Firmware that measures the accelerator on a board, and its serial output as rows of measured.tsv.

    board.py make AI8XSIM PART FOLDER     writes FOLDER/board.elf: every run of docs/board-measurements.md
    board.py parse FOLDER LOG [OUTPUT]    reads the board's serial output (- is standard input) into a table
"""
import csv
import io
import json
import pathlib
import re
import statistics
import subprocess
import sys

try:
    import h5py
except ImportError:
    sys.exit("board.py: Python's h5py is missing (Debian: python3-h5py, for /usr/bin/python3)")

HERE = pathlib.Path(__file__).resolve().parent
FIRMWARE = HERE.parent.parent / "tests" / "firmware"
WRITE32, WAIT, FIFO_WRITE32, EXPECT, RUN, WRITE8, START = range(7)
SRAM = {"MAX78000": 0x20000, "MAX78002": 0x60000}
# Field codes of the clock's divider for 50 MHz, where the MAX78002 runs without its pipeline too, and for half of it.
DIVIDERS = {"MAX78000": (4, 0), "MAX78002": (1, 2)}
CNN_MHZ = 50
FLAGS = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-O2", "-Wall", "-Wextra", "-Werror",
         "-nostartfiles", "--specs=nano.specs"]


def layer(channels, size, outputs, kernel, **more):
    """A layer of a description; channels only for the first."""
    first = {"in_channels": channels, "in_dim": [size, size]} if channels else {}
    return {**first, "out_channels": outputs, "operation": "conv2d", "kernel_size": f"{kernel}x{kernel}",
            "pad": kernel // 2, "activate": "ReLU", **more}


def networks():
    """Name: layers, options of `compile`, stops."""
    yield "chain", [layer(16, 16, 32, 3), layer(0, 0, 64, 3), layer(0, 0, 32, 1)], [], (0, 1, None)
    for outputs in (4, 64):
        for passes in (1, 8):
            yield f"point-{outputs}x{passes}", [layer(64 * passes, 8, outputs, 1)], [], (None,)
    for processors in (4, 16, 64):
        yield f"processors-{processors}", [layer(processors, 16, 16, 1)], [], (None,)
    yield "flatten-one", [layer(16, 4, 16, 3), {"out_channels": 1, "operation": "mlp", "flatten": True,
                                                "output_width": 32}], [], (None,)
    yield "fifo", [layer(4, 32, 16, 3)], ["--fifo"], (None,)
    yield "fast-fifo", [layer(4, 32, 16, 3)], ["--fast-fifo"], (None,)


def variants(part):
    """Every run: id, layers, options, clock divider."""
    for name, layers, options, stops in networks():
        for stop in stops:
            for piped in ((True, False) if part == "MAX78002" else (True,)):
                for half, divider in enumerate(DIVIDERS[part] if "fifo" in name else DIVIDERS[part][:1]):
                    identity = name + ("" if stop is None else f"-stop{stop}") + ("" if piped else "-nopipe") + \
                        ("-half" if half else "")
                    more = ([] if stop is None else ["--stop-after", str(stop)]) + ([] if piped else ["--no-pipeline"])
                    yield identity, layers, options + more, divider


def words(path):
    """The program's operations before RUN as blocks, for tests/firmware/measure.c."""
    with h5py.File(path, "r") as file:
        ops = [(int(o["kind"]), int(o["addr"]), int(o["value"]), int(o["mask"])) for o in file["program"][()]]
    ops = ops[:next(i for i, op in enumerate(ops) if op[0] == RUN)]
    start = max(i for i, op in enumerate(ops) if op[0] == WRITE32 and not
                any(later[0] == WRITE32 for later in ops[i + 1:]))
    blocks = []
    for i, (kind, address, value, mask) in enumerate(ops):
        if kind == EXPECT:
            continue
        kind = START if i == start else kind
        last = blocks[-1] if blocks else None
        if last and last[0] == kind == FIFO_WRITE32 and last[1] == address or \
                last and last[0] == kind == WRITE32 and last[1] + 4 * len(last[2]) == address:
            last[2].append(value)
        else:
            blocks.append((kind, address, [mask, value] if kind == WAIT else [value]))
    for kind, address, values in blocks:
        yield from (address, kind << 24 | len(values), *values)
    yield from (0, RUN << 24)


def make(program, part, folder):
    """Compiles every run, and the firmware that holds them all."""
    folder.mkdir(parents=True, exist_ok=True)
    tables, names = [], []
    for number, (identity, layers, options, divider) in enumerate(variants(part)):
        path, description = folder / f"{identity}.h5", folder / "network.yaml"
        description.write_text(json.dumps({"arch": identity, "dataset": "none", "layers": layers}), encoding="utf-8")
        subprocess.run([program, "compile", "--part", part, "--random", "1", "--quiet", *options, "-o", path, description],
                       check=True)
        text = ", ".join(f"0x{word:08x}" for word in words(path))
        tables.append(f"static const uint32_t blocks{number}[] = {{{text}}};\n")
        names.append(f'\t{{"{identity}", {divider}u, blocks{number}}},\n')
    (folder / "runs.h").write_text(
        "".join(tables) + "static const struct { const char *id; uint32_t divider; const uint32_t *blocks; } "
        "runs[] = {\n" + "".join(names) + "};\n", encoding="utf-8")
    flags = FLAGS + [f"-Wl,--defsym=SRAM_BYTES=0x{SRAM[part]:x}"] + (["-DPART_MAX78002"] if part == "MAX78002" else [])
    subprocess.run(["arm-none-eabi-gcc", *flags, '-DRUNS_HEADER="runs.h"', "-I", folder, "-I", FIRMWARE, "-T",
                    FIRMWARE / "link.ld", FIRMWARE / "measure.c", FIRMWARE / "board.c", FIRMWARE / "startup.c", "-o",
                    folder / "board.elf"], check=True)
    (folder / "part").write_text(part, encoding="utf-8")
    print(f"{folder / 'board.elf'}: {len(names)} runs")


def parse(folder, log):
    """Rows in the form of docs/reference/measured.tsv: the median of each run's times, in core cycles."""
    part = (folder / "part").read_text(encoding="utf-8")
    text = (sys.stdin if log == "-" else open(log, encoding="utf-8", errors="replace")).read()
    head = re.search(r"begin core_hz=(\d+)", text)
    if head is None or not re.search(r"^end\s*$", text, re.MULTILINE):
        sys.exit(f"{log}: no whole output from 'begin' to 'end' in it")
    times = {}
    for identity, cycles, loading in re.findall(r"run id=(\S+) cycles=(\d+) loading=(\d+)", text):
        times.setdefault(identity, ([], []))[0].append(int(cycles))
        times[identity][1].append(int(loading))
    missing = [identity for identity, *_ in variants(part) if identity not in times]
    if missing:
        sys.exit(f"{log}: no times of {', '.join(missing)}")
    fields = ["id", "kind", "network", "device", "board", "clock_mhz", "clock_source", "includes_loading", "quantity",
              "value", "unit", "runs", "spread"]
    output = io.StringIO()
    table = csv.writer(output, delimiter="\t", lineterminator="\n")
    table.writerow(fields)
    mhz = int(head.group(1)) / 1e6
    for identity, both in times.items():
        clock = CNN_MHZ / (2 if identity.endswith("-half") else 1)
        for quantity, values in (("latency", both[0]), ("loading time", both[1])):
            table.writerow([f"board-{identity}", "silicon", identity, part, "", f"{clock:g}", "",
                            "yes" if "fifo" in identity or quantity != "latency" else "no", quantity,
                            f"{statistics.median(values):g}", f"CPU cycles at {mhz:g} MHz", len(values),
                            max(values) - min(values)])
    return output.getvalue()


def run(arguments):
    """One of the two commands."""
    if len(arguments) == 4 and arguments[0] == "make" and arguments[2] in SRAM:
        make(arguments[1], arguments[2], pathlib.Path(arguments[3]).resolve())
    elif len(arguments) in (3, 4) and arguments[0] == "parse":
        table = parse(pathlib.Path(arguments[1]), arguments[2])
        if len(arguments) == 4 and arguments[3] != "-":
            pathlib.Path(arguments[3]).write_text(table, encoding="utf-8")
        else:
            print(table, end="")
    else:
        sys.exit(__doc__)


def main():
    try:
        run(sys.argv[1:])
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"board.py: {error}")


if __name__ == "__main__":
    main()
