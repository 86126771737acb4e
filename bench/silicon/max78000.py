#!/usr/bin/python3
"""The tables of docs/timing.md and docs/energy.md about the MAX78000, from measured rows.

    max78000.py AI8XSIM [--write] [--golden DIR]

Measured: docs/reference/measured.tsv. Networks: layers78000.tsv beside this file, cycles as `ai8xsim profile` counts them;
where DIR has a network's program, they are compared with what AI8XSIM counts now. Rates of energy are asked of AI8XSIM.
Without --write, exits with 1 where the pages differ; with it, the pages are written.
"""
import pathlib
import re
import sys

import numpy

from pages import HERE, MEASURED, SOURCE, ask, microseconds, rows, update

PREFIXES = ["nd-029", "nd-031", "nd-033", "nd-035", "nd-037"]
WHOLE = [("cifar10-nas", "nd-045"), ("cifar10-nas", "nd-049"), ("cifar100-nas", "nd-053"), ("kws20-v3", "nd-057")]
SDK = [("mnist", "sdk-mnist"), ("cifar-10", "sdk-cifar10"), ("cifar-100", "sdk-cifar100"),
       ("cats-vs-dogs", "sdk-catsdogs64"), ("kws20-v3", "sdk-kws20v3"), ("bearingnet", "bearings")]
COUNTED = [("baseline", "ml-baseline"), ("baseline", "ml-improved"), ("deeper", "ml-deeper"), ("mininet", "ml-mininet"),
           ("cifar10-nas", "ml-nascifar"), ("ressimplenet", "ml-ressimple"), ("safesound-wave", "safesound-225"),
           ("safesound-mel", "safesound-227")]
CLOCKS = ["nd-027", "nd-019", "nd-021", "nd-023", "nd-025", "nd-009", "nd-011", "nd-013", "nd-015"]
PREFIX_ENERGIES = ["nd-030", "nd-032", "nd-034", "nd-036", "nd-038"]

NETWORKS = {}
for entry in rows(HERE / "layers78000.tsv"):
    NETWORKS.setdefault(entry["network"], []).append(entry)


def cycles(network, layers=None):
    """Cycles of a run with its start cycle, of the first layers or all."""
    return 1 + sum(int(row["cycles"]) for row in NETWORKS[network][:layers])


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
    nas = NETWORKS["cifar10-nas"]
    before = 0
    for i, identity in enumerate(PREFIX_ENERGIES):
        yield f"cifar10-nas, layer {i}: {nas[i]['operation'].removesuffix(', relu')}", features([nas[i]]), value(identity) - before
        before = value(identity)
    whole = (value("nd-046") + value("nd-050")) / 2
    yield "cifar10-nas, layers 5 to 10", features(nas[5:]), whole - before
    yield "kws20-v3, all layers", features(NETWORKS["kws20-v3"]), value("nd-058")


def solve(matrix, energies):
    return numpy.linalg.lstsq(matrix / energies[:, None], numpy.ones(len(energies)), rcond=None)[0]


def table_energy(program):
    data = list(energy_data())
    matrix = numpy.array([row[1] for row in data], float)
    energies = numpy.array([row[2] for row in data])
    rates = solve(matrix, energies)
    known = known_rates(program)
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


def known_rates(program):
    """Joules of a cycle and processor that AI8XSIM takes, in pJ: several taps, one."""
    path = str(SOURCE / "models/digits/digits.h5")
    found = {}
    for layer in ask(program, "profile", "--json", "-", "--advice", "0", path)["profile"]["layers"]:
        busy = layer["cycles"] - layer["causes"]["stall"]
        found.setdefault("3x3" not in layer["operation"], 1e12 * layer["joules_estimate"] / busy / layer["processors"])
    return numpy.array([found[False], found[True]])


def compare_golden(program, folder):
    """Layers of the table that AI8XSIM counts otherwise now."""
    wrong = 0
    for network, layers in NETWORKS.items():
        path = pathlib.Path(folder) / "max78000" / f"net-{network}.h5"
        if not path.exists() or layers[0]["layer"] == "-":
            continue
        now = ask(program, "profile", "--json", "-", "--advice", "0", str(path))["profile"]["layers"]
        for row, layer in zip(layers, now, strict=True):
            if int(row["cycles"]) != layer["cycles"] or int(row["processors"]) != layer["processors"]:
                print(f"layers78000.tsv: {network}, layer {row['layer']}: {layer['cycles']} cycles now, not {row['cycles']}")
                wrong += 1
    return wrong


def main():
    program, options = sys.argv[1], sys.argv[2:]
    pages = {"docs/timing.md": {"prefixes": table_prefixes(), "whole": table_whole(), "sdk": table_sdk(),
                                "counted": table_counted(), "clocks": table_clocks()},
             "docs/energy.md": {"energy": table_energy(program)}}
    status = update("max78000.py", pages, "--write" in options)
    if "--golden" in options and compare_golden(program, options[options.index("--golden") + 1]) > 0:
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
