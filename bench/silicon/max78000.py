#!/usr/bin/python3
"""The tables of docs/timing.md and docs/energy.md about the MAX78000, from measured rows.

    max78000.py AI8XSIM [--write] [--golden DIR] [--examples DIR]

Measured: docs/reference/measured.tsv. Networks: the descriptions in networks/max78000 beside this file, which AI8XSIM compiles
and times; where DIR has a network's recorded program, its layers must take as long. Two tables have rows that AI8XSIM alone
cannot make: streaming.tsv keeps the times of recorded programs that are not shipped (DIR has them: then they are compared,
and with --write renewed), examples.tsv what SDK examples print under the emulation (--examples SDK/Examples/MAX78000/CNN,
built: compared and renewed in the same way). Without --write, exits with 1 where anything differs.
"""
import pathlib
import re
import subprocess
import sys

import numpy

from pages import HERE, MEASURED, SOURCE, ask, emulated, microseconds, profile, rows, update, word_seconds

PROGRAM = sys.argv[1]
PART = "MAX78000"

PREFIXES = ["nd-029", "nd-031", "nd-033", "nd-035", "nd-037"]
WHOLE = [("cifar10-nas", "nd-045"), ("cifar10-nas", "nd-049"), ("cifar100-nas", "nd-053"), ("kws20-v3", "nd-057")]
SDK = [("mnist", "sdk-mnist"), ("cifar-10", "sdk-cifar10"), ("cifar-100", "sdk-cifar100"),
       ("cats-vs-dogs", "sdk-catsdogs64"), ("kws20-v3", "sdk-kws20v3"), ("bearingnet", "bearings")]
COUNTED = [("baseline", "ml-baseline"), ("baseline", "ml-improved"), ("deeper", "ml-deeper"), ("mininet", "ml-mininet"),
           ("cifar10-nas", "ml-nascifar"), ("ressimplenet", "ml-ressimple"), ("safesound-wave", "safesound-225"),
           ("safesound-mel", "safesound-227")]
CLOCKS = ["nd-027", "nd-019", "nd-021", "nd-023", "nd-025", "nd-009", "nd-011", "nd-013", "nd-015"]
PREFIX_ENERGIES = ["nd-030", "nd-032", "nd-034", "nd-036", "nd-038"]

LOADED = [("cifar10-nas", 5, "nd-043"), ("kws20-v3", None, "nd-059"), ("cifar10-nas", None, "nd-047"),
          ("cifar100-nas", None, "nd-055")]
# Fixed time of that project's loader, and its bus writes for a packed kernel word.
LOADER_US, WRITES_A_WORD = 256, 2.25
INPUTS = [("safesound-wave", "safesound-226"), ("safesound-mel", "safesound-228")]
FED = [("cats-dogs", "iss74-catsdogs", "cats-dogs 128x128"), ("cats-dogs", "gastro", "the same network shape, another project"),
       ("faceid", "iss74-faceid", "faceid 160x120"), ("rps", "sdk-rps", "rps 64x64 (FIFO, not streaming)")]
RESTS = [("rps", 3072, ("sdk-rpsdemo", "sdk-rpsdemo2"), "rps-demo"),
         ("faceid", 19200, ("sdk-faceid",), "faceid, the SDK's README")]
EXAMPLES = ("build/max78000.elf", "build/MAX78000.elf")


def timed(network, *options):
    return profile(PROGRAM, PART, network, *options)


def cycles(network, layers=None):
    """Cycles of a run with its start cycle, of the first layers or all."""
    return 1 + sum(layer["cycles"] for layer in timed(network)["layers"][:layers])


def fed(network, pace):
    return timed(network, "--feed", "fifo", *(() if pace is None else ("--fifo-pace", str(pace))))


def value(identity):
    return float(MEASURED[identity]["value"])


def line():
    """Cycles of a microsecond and fixed microseconds of the prefixes' set-up, least squares."""
    x = numpy.array([cycles("cifar10-nas", i + 1) for i in range(len(PREFIXES))], float)
    y = numpy.array([microseconds(identity) for identity in PREFIXES])
    slope, fixed = numpy.polyfit(x, y, 1)
    return 1 / slope, fixed


def table_prefixes():
    mhz, fixed = line()
    yield "| layers | simulated cycles | measured | off the line |"
    yield "|--------|-----------------:|---------:|-------------:|"
    for i, identity in enumerate(PREFIXES):
        count, time = cycles("cifar10-nas", i + 1), microseconds(identity)
        yield f"| {'0' if i == 0 else f'0 to {i}'} | {count:,} | {time:,.2f} us | {(time - fixed) * mhz - count:+.1f} |"
    yield ""
    yield f"The line is {fixed:.2f} us + cycles / {mhz:.3f} MHz."


def table_whole():
    mhz, fixed = line()
    yield "| network | simulated cycles | line | measured | ratio |"
    yield "|---------|-----------------:|-----:|---------:|------:|"
    for network, identity in WHOLE:
        count, time = cycles(network), microseconds(identity)
        expected = fixed + count / mhz
        yield f"| {network} | {count:,} | {expected:,.2f} us | {time:,.2f} us | {time / expected:.4f} |"


def table_sdk():
    yield "| example | simulated cycles | measured | measured - simulated |"
    yield "|---------|-----------------:|---------:|---------------------:|"
    for network, identity in SDK:
        count, time = cycles(network), microseconds(identity)
        yield f"| {network} | {count:,} | {time:,.0f} us | {50 * time - count:.0f} |"


def table_counted():
    yield "| network | simulated cycles | measured / 2 | measured - simulated |"
    yield "|---------|-----------------:|-------------:|---------------------:|"
    for network, identity in COUNTED:
        count, measured = cycles(network), value(identity) / 2
        yield f"| {network} ({identity}) | {count:,} | {measured:,.0f} | {measured - count:,.0f} |"


def table_clocks():
    count = cycles("cifar10-nas", 5)
    yield "| clock | cycles / clock | measured | ratio |"
    yield "|-------|---------------:|---------:|------:|"
    for identity in CLOCKS:
        row = MEASURED[identity]
        expected, time = count / float(row["clock_mhz"]), microseconds(identity)
        yield f"| {row['clock_source']} | {expected:,.2f} us | {time:,.2f} us | {time / expected:.4f} |"


def features(layers):
    """Cycles x processors of kernels with several taps, and of the others."""
    sums = [0, 0]
    for row in layers:
        several = re.search(r"conv 1x1|conv1d 1\b", row["operation"]) is None
        sums[not several] += int(row["cycles"]) * int(row["processors"])
    return sums


def energy_data():
    nas = timed("cifar10-nas")["layers"]
    before = 0
    for i, identity in enumerate(PREFIX_ENERGIES):
        yield f"cifar10-nas, layer {i}: {nas[i]['operation'].removesuffix(', relu')}", features([nas[i]]), value(identity) - before
        before = value(identity)
    whole = (value("nd-046") + value("nd-050")) / 2
    yield "cifar10-nas, layers 5 to 10", features(nas[5:]), whole - before
    yield "kws20-v3, all layers", features(timed("kws20-v3")["layers"]), value("nd-058")


def solve(matrix, energies):
    return numpy.linalg.lstsq(matrix / energies[:, None], numpy.ones(len(energies)), rcond=None)[0]


def table_energy():
    data = list(energy_data())
    matrix = numpy.array([row[1] for row in data], float)
    energies = numpy.array([row[2] for row in data])
    rates = solve(matrix, energies)
    known = known_rates()
    if numpy.abs(1e6 * rates - known).max() > 0.06:
        sys.exit(f"ai8xsim's rates {known} are not those of the fit, {1e6 * rates}")
    yield (f"Fit: {1e6 * rates[0]:.1f} pJ (several taps) and {1e6 * rates[1]:.1f} pJ (one) a cycle and active "
           "processor.")
    yield ""
    yield "| layers | measured | law | off | off, fitted without it |"
    yield "|--------|---------:|----:|----:|-----------------------:|"
    worst = 0
    for i, (name, _, measured) in enumerate(data):
        others = [j for j in range(len(data)) if j != i]
        without = solve(matrix[others], energies[others])
        law, left = matrix[i] @ rates, matrix[i] @ without
        worst = max(worst, abs(left / measured - 1))
        yield (f"| {name} | {measured:.2f} uJ | {law:.2f} uJ | {100 * (law / measured - 1):+.0f} % | "
               f"{100 * (left / measured - 1):+.0f} % |")
    yield ""
    yield f"The largest cross-validated error is {100 * worst:.0f} %."


def known_rates():
    """Joules of a cycle and processor that AI8XSIM takes, in pJ: several taps, one."""
    path = str(SOURCE / "models/digits/digits.h5")
    found = {}
    for layer in timed(path)["layers"]:
        busy = layer["cycles"] - layer["causes"]["stall"]
        found.setdefault("3x3" not in layer["operation"], 1e12 * layer["joules_estimate"] / busy / layer["processors"])
    return numpy.array([found[False], found[True]])


def table_fed():
    yield "| network | pace 0 | pace 29 | measured | measured / simulated |"
    yield "|---------|-------:|--------:|---------:|---------------------:|"
    for network, identity, name in FED:
        ready, paced, time = fed(network, 0)["cycles"], fed(network, None)["cycles"], microseconds(identity)
        streams = "streaming: true" in (HERE / "networks/max78000" / f"{network}.yaml").read_text(encoding="utf-8")
        yield (f"| {name} | {ready:,}{'' if streams else ' + feed'} | {paced:,} | {50 * time:,.0f} ({time:,.0f} us) | "
               f"{50 * time / paced:.3f} |")


def table_rest():
    """What is left when the last word has been pushed."""
    yield "| example | simulated rest of the run | measured | ratio |"
    yield "|---------|--------------------------:|---------:|------:|"
    for network, words, identities, name in RESTS:
        # A pace so slow that the accelerator waits for every word.
        rest = fed(network, 100)["cycles"] - 100 * words
        times = [microseconds(identity) for identity in identities]
        yield (f"| {name} | {rest:,} ({rest / 50:,.0f} us) | {'; '.join(f'{time:,.0f} us' for time in times)} | "
               f"{'; '.join(f'{50 * time / rest:.3f}' for time in times)} |")


def loaded_row(name, words, time, *simulated):
    return (f"| {name} | {words:,} | {time:,.0f} us | " +
            " | ".join(f"{expected:,.0f} us | {100 * (expected / time - 1):+.1f} %" for expected in simulated) + " |")


def table_loading():
    write = 1e6 * word_seconds(PROGRAM, PART, "kernel", 50)
    yield "| loaded | words | measured | simulated | off | emulated | off |"
    yield "|--------|------:|---------:|----------:|----:|---------:|----:|"
    for network, layers, identity in LOADED:
        words = sum(layer["kernel_words"] for layer in timed(network)["layers"][:layers])
        name = f"kernels of {network}{f', {layers} layers' if layers else ''}"
        expected = LOADER_US + WRITES_A_WORD * words * write
        yield loaded_row(name, words, microseconds(identity), expected,
                         LOADER_US + emulated(PART, "kernels", WRITES_A_WORD * words)[50])
    for network, identity in INPUTS:
        expected = 4096e6 * word_seconds(PROGRAM, PART, "input", 50)
        yield loaded_row(f"input of {network}", 4096, value(identity) / 100, expected, emulated(PART, "input", 4096)[50])


def table_stream_rule():
    yield "| program | all words in time | at pace 29 | reference's rule | rule / pace 29 |"
    yield "|---|---:|---:|---:|---:|"
    for row in rows(HERE / "streaming.tsv"):
        ready, paced, rule = (int(row[key]) for key in ("ready", "paced", "rule"))
        yield f"| {row['program']} | {ready:,} | {paced:,} | {rule:,} | {rule / paced:.2f} |"


def table_examples():
    yield "| example | published | before | off | now | off |"
    yield "|---------|----------:|-------:|----:|----:|----:|"
    offs = {"before": [], "now": []}
    for row in rows(HERE / "examples.tsv"):
        time, cells = microseconds(row["measured"]), []
        for key, all_of_them in offs.items():
            cells += ["-", "-"]
            if row[key]:
                all_of_them.append(100 * (int(row[key]) / time - 1))
                cells[-2:] = [f"{int(row[key]):,} us", f"{all_of_them[-1]:+.1f} %"]
        yield f"| {row['example']} | {time:,.0f} us | " + " | ".join(cells) + " |"
    both = [f"{numpy.mean(numpy.abs(x)):.1f} %; {max(map(abs, x)):.1f} %" for x in offs.values()]
    yield f"| mean of all; largest | | | {both[0]} | | {both[1]} |"


def compare_golden(folder):
    """Layers of descriptions that the recorded programs count otherwise."""
    wrong = 0
    for path in sorted((HERE / "networks/max78000").glob("*.yaml")):
        recorded = pathlib.Path(folder) / "max78000" / f"net-{path.stem}.h5"
        if not recorded.exists():
            continue
        feed = ("--feed", "fifo") if "streaming: true" in path.read_text(encoding="utf-8") else ()
        for mine, its in zip(timed(path.stem, *feed)["layers"], timed(str(recorded))["layers"], strict=True):
            if mine["cycles"] != its["cycles"]:
                print(f"{path.stem}, layer {mine['layer']}: {mine['cycles']} cycles, {its['cycles']} in {recorded}")
                wrong += 1
    return wrong


def renew(name, found, write):
    """Compares a kept row file with what was found now, or writes it. Returns the number of differences."""
    path, wrong = HERE / name, 0
    lines = path.read_text(encoding="utf-8").splitlines()
    fields = next(line for line in lines if not line.startswith("#")).split("\t")
    for i, line in enumerate(lines):
        row = dict(zip(fields, line.split("\t")))
        for field, now in found.get(row[fields[0]], {}).items():
            if row[field] != str(now):
                print(f"{name}: {row[fields[0]]}: {field} {now} now, not {row[field]}")
                row[field] = str(now)
                wrong += 1
        if not line.startswith("#"):
            lines[i] = "\t".join(row[field] for field in fields)
    if write and wrong:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if write else wrong


def time_streams(folder):
    """Recorded streaming programs: all words in time, at the host's pace, and by the reference's rule of 1.5."""
    found = {}
    for row in rows(HERE / "streaming.tsv"):
        path = str(pathlib.Path(folder) / "max78000" / f"{row['program']}.h5")
        if not pathlib.Path(path).exists():
            continue
        ready = timed(path, "--fifo-pace", "0")
        decoded = ask(PROGRAM, "info", "--json", "-", path)["programs"][0]["layers"]
        rule = 1 + sum(layer["cycles"] * (3 if its["streaming"] else 2) // 2
                       for layer, its in zip(ready["layers"], decoded, strict=True))
        found[row["program"]] = {"ready": ready["cycles"], "paced": timed(path)["cycles"], "rule": rule}
    return found


def run_examples(folder):
    """What built examples print under the emulation."""
    found = {}
    for row in rows(HERE / "examples.tsv"):
        built = [path for name in EXAMPLES if (path := pathlib.Path(folder) / row["folder"] / name).exists()]
        if not row["folder"] or not built:
            continue
        path = built[0]
        result = subprocess.run([PROGRAM, "run", str(path)], check=True, capture_output=True, text=True)
        found[row["example"]] = {"now": re.search(r"inference time: (\d+) us", result.stdout).group(1)}
    return found


def main():
    options = sys.argv[2:]
    write, wrong = "--write" in options, 0
    if "--golden" in options:
        folder = options[options.index("--golden") + 1]
        wrong += compare_golden(folder) + renew("streaming.tsv", time_streams(folder), write)
    if "--examples" in options:
        folder = options[options.index("--examples") + 1]
        wrong += renew("examples.tsv", run_examples(folder), write)
    pages = {"docs/timing.md": {"prefixes": table_prefixes(), "whole": table_whole(), "sdk": table_sdk(),
                                "counted": table_counted(), "clocks": table_clocks(), "fed": table_fed(),
                                "stream-rule": table_stream_rule(), "rest": table_rest(), "loading": table_loading(),
                                "examples": table_examples()},
             "docs/energy.md": {"energy": table_energy()}}
    return 1 if update("max78000.py", pages, write) or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
