#!/usr/bin/python3
"""The tables of docs/timing.md and docs/energy.md about the MAX78002, from measured rows.

    max78002.py AI8XSIM [--write]

Measured: docs/reference/measured.tsv. Networks: layers.tsv beside this file, facts of each layer and its cycles without
the pipeline as `ai8xsim profile` counts them. Cycles per pixel and the time of bus accesses are asked of AI8XSIM. Without
--write, exits with 1 where the pages differ; with it, the pages are written.
"""
import itertools
import sys

import numpy

from pages import HERE, MEASURED, SOURCE, ask, microseconds, rows, update

START_US = 7.0  # start, interrupt, timer: fixed for every network (docs/timing.md)
# Network, row of measured.tsv, rounding of the value in us.
LATENCIES = [
    ("mnist", "an7664-105", 0.5), ("cifar-100-mixed", "an7664-047", 50), ("kws20_v3_1", "an7664-146", 50),
    ("kws20_v3_1", "an7664-147", 50), ("svhn_tinierssd", "an7664-123", 100),
    ("cifar-100-mobilenet-v2-0.75", "an7664-125", 50), ("cifar-100-mobilenet-v2-0.75", "an7664-126", 50),
    ("cifar-100-mobilenet-v2-0.75", "an7664-055", 50), ("imagenet-effnet2", "an7664-083", 100),
    ("indoor-5", "indoor-5", 1.07), ("indoor-31", "indoor-31", 1.07), ("indoor-51", "indoor-51", 1.07),
    ("indoor-81", "indoor-81", 1.07), ("indoor-101", "indoor-101", 1.07),
]
UNPIPELINED = [
    ("cifar-100-mobilenet-v2-0.75", "an7664-127", 50), ("cifar-100-mobilenet-v2-0.75", "an7664-128", 50),
    ("cifar-100-mobilenet-v2-0.75", "an7664-129", 50), ("kws20_v3_1", "an7664-148", 50),
    ("kws20_v3_1", "an7664-149", 50), ("kws20_v3_1", "an7664-150", 50),
]
ENERGIES = [
    ("mnist", "an7664-108"), ("cifar-100-mixed", "an7664-048"), ("kws20_v3_1", "an7664-159"),
    ("svhn_tinierssd", "an7664-124"), ("cifar-100-mobilenet-v2-0.75", "an7664-138"),
    ("imagenet-effnet2", "an7664-084"),
]
LEAKAGE_W = 6.8e-3  # at 1.0 V, from the energies of one network at slow clocks
KERNEL_WRITES = {"kws20_v3_1": 38872, "cifar-100-mobilenet-v2-0.75": 343206}
INPUT_WORDS = {"kws20_v3_1": 4096, "cifar-100-mobilenet-v2-0.75": 1024}


class Layer:
    def __init__(self, row):
        numbers = {key: [int(n) for n in row[key].split("x")] for key in ("pooled", "kernel", "output", "input")}
        self.pixels = numbers["pooled"][0] * numbers["pooled"][1]
        self.outputs = numbers["output"][0] * numbers["output"][1]
        self.taps = numbers["kernel"][0] * numbers["kernel"][1]
        self.pooled = numbers["pooled"] != numbers["input"]
        self.rows = numbers["pooled"][0]
        self.passes, self.operands, self.slots = (int(row[k]) for k in ("passes", "operands", "slots"))
        self.processors, self.cycles = int(row["processors"]), int(row["plain_cycles"])
        # A depth-wise layer writes all channels of a pass at once.
        self.depthwise = self.taps > 1 and self.cycles < self.outputs * self.slots
        self.flattened = self.pixels == 1 and self.taps == 1 and self.passes > 1
        self.samples = numbers["input"][0] * numbers["input"][1]
        self.passthrough = row["operation"] == "passthrough"


NETWORKS = {name: [Layer(row) for row in group] for name, group in
            itertools.groupby(rows(HERE / "layers.tsv"), key=lambda row: row["network"])}


def plain(network):
    return 1 + sum(layer.cycles for layer in NETWORKS[network])


def latency(network, identity):
    """Measured inference alone: mnist's is the sum with its input less the input, which have more digits."""
    value = microseconds(identity)
    return value - microseconds("an7664-103") if identity == "an7664-105" else value


def cycles_per_pixel(program):
    path = str(SOURCE / "models/keywords/keywords.yaml")
    layers = ask(program, "profile", "--json", "-", "--advice", "0", "--part", "MAX78002", path)["profile"]["layers"]
    first = layers[0]["causes"]
    return first["pipeline"] / (first["read"] / layers[0]["passes"])


def access_seconds(program, mhz):
    path = str(SOURCE / "models/mobile/mobile.h5")
    loading = ask(program, "profile", "--json", "-", "--clock", f"{mhz} MHz", path)["profile"]["loading"]
    return {what: loading[f"{what}_seconds_estimate"] / loading[f"{what}_writes"] for what in ("kernel", "input")}


def table_latency(stages):
    yield "| network | clock | measured | without the term | with it | off |"
    yield "|---------|------:|---------:|-----------------:|--------:|----:|"
    for network, identity, rounding in LATENCIES:
        mhz, value = float(MEASURED[identity]["clock_mhz"]), latency(network, identity)
        pixels = sum(layer.pixels for layer in NETWORKS[network])
        before = START_US + plain(network) / mhz
        after = before + stages * pixels / mhz
        # The indoor rows come from a timer that counts steps of 1.067 us from 1, cut to whole us.
        inside = abs(after - value) <= rounding
        note = " (inside the rounding)" if inside and abs(after / value - 1) > 0.035 else ""
        yield (f"| {network} | {mhz:g} MHz | {value:,.1f} us | {before:,.1f} us | {after:,.1f} us | "
               f"{100 * (after / value - 1):+.1f} %{note} |")


def table_unpipelined():
    yield "| network | clock | measured | simulated | off |"
    yield "|---------|------:|---------:|----------:|----:|"
    for network, identity, _ in UNPIPELINED:
        mhz, value = float(MEASURED[identity]["clock_mhz"]), microseconds(identity)
        simulated = START_US + plain(network) / mhz
        yield (f"| {network} | {mhz:g} MHz | {value:,.0f} us | {simulated:,.0f} us | "
               f"{100 * (simulated / value - 1):+.1f} % |")


ALTERNATIVES = {
    "pixel of the image": lambda x: x.pixels,
    "pixel and pass": lambda x: x.pixels * x.passes,
    "pixel and operand": lambda x: x.pixels * x.operands,
    "pixel, layers with kernels only": lambda x: x.pixels * (not x.passthrough),
    "pixel that is not pooled": lambda x: x.pixels * (not x.pooled),
    "pixel, without depth-wise layers": lambda x: x.pixels * (not x.depthwise),
    "pixel, without element-wise layers": lambda x: x.pixels * (x.operands == 1),
    "pixel, without flattened layers": lambda x: x.pixels * (not x.flattened),
    "pixel and sample of the pooling window": lambda x: x.samples,
    "output pixel": lambda x: x.outputs,
    "output pixel and pass": lambda x: x.outputs * x.passes,
    "output value": lambda x: x.outputs * x.slots,
    "row": lambda x: x.rows,
    "layer": lambda x: 1,
}


def table_alternatives():
    yield "| extra cycles per | best fit | outside rounding and 1 %, of {} | worst |".format(len(LATENCIES))
    yield "|------------------|---------:|------:|------:|"
    for name, charge in ALTERNATIVES.items():
        x, y, limit = [], [], []
        for network, identity, rounding in LATENCIES:
            mhz, value = float(MEASURED[identity]["clock_mhz"]), latency(network, identity)
            value += rounding / 2 if network.startswith("indoor") else 0
            x.append(sum(charge(layer) for layer in NETWORKS[network]) / mhz)
            y.append(value - START_US - plain(network) / mhz)
            limit.append(max(rounding, value / 100))
        x, y, limit = (numpy.array(values) for values in (x, y, limit))
        best = numpy.sum(x * y / limit ** 2) / numpy.sum(x * x / limit ** 2)
        off = numpy.abs(best * x - y) / limit
        yield f"| {name} | {best:.2f} | {int(numpy.sum(off > 1))} | {off.max():.1f} times the limit |"


def table_loading(program):
    yield "| network | clock | kernels, measured | simulated | off | input, measured | simulated | off |"
    yield "|---------|------:|------:|------:|----:|------:|------:|----:|"
    sets = {"cifar-100-mobilenet-v2-0.75": (167, 175), "kws20_v3_1": (183, 191)}
    for network, (kernels, inputs) in sets.items():
        for i in range(8):
            identity = [f"an7664-{first + i}" for first in (kernels, inputs)]
            mhz = float(MEASURED[identity[0]]["clock_mhz"])
            access = access_seconds(program, mhz)
            cells = []
            for row, seconds in zip(identity, (KERNEL_WRITES[network] * access["kernel"],
                                               INPUT_WORDS[network] * access["input"])):
                value = microseconds(row) / 1000
                cells += [f"{value:g} ms", f"{1000 * seconds:.3g} ms", f"{100 * (1000 * seconds / value - 1):+.1f} %"]
            yield f"| {network} | {mhz:g} MHz | " + " | ".join(cells) + " |"


def solve(features, target, energies):
    weighted = features / energies[:, None]
    return numpy.linalg.lstsq(weighted, target / energies, rcond=None)[0]


def table_energy(stages):
    features, energies, seconds = [], [], []
    for network, identity in ENERGIES:
        layers = NETWORKS[network]
        cycles = plain(network)
        features.append([cycles, sum(layer.cycles * layer.processors for layer in layers)])
        energies.append(float(MEASURED[identity]["value"]) * 1e-6)
        seconds.append((cycles + stages * sum(layer.pixels for layer in layers)) /
                       (float(MEASURED[identity]["clock_mhz"]) * 1e6))
    features, energies = numpy.array(features, float), numpy.array(energies)
    target = energies - LEAKAGE_W * numpy.array(seconds)
    rates = solve(features, target, energies)
    yield f"Fit: {1e9 * rates[0]:.2f} nJ a cycle, {1e12 * rates[1]:.1f} pJ a cycle and active processor."
    yield ""
    yield "| network | measured | law | off | off, fitted without it |"
    yield "|---------|---------:|----:|----:|-----------------------:|"
    for i, (network, _) in enumerate(ENERGIES):
        others = [j for j in range(len(ENERGIES)) if j != i]
        without = solve(features[others], target[others], energies[others])
        off = [100 * (features[i] @ k - target[i]) / energies[i] for k in (rates, without)]
        law = features[i] @ rates + energies[i] - target[i]
        yield (f"| {network} | {1e6 * energies[i]:,.0f} uJ | {1e6 * law:,.0f} uJ | {off[0]:+.0f} % | "
               f"{off[1]:+.0f} % |")


def main():
    program = sys.argv[1]
    stages = cycles_per_pixel(program)
    pages = {"docs/timing.md": {"latency": table_latency(stages), "unpipelined": table_unpipelined(),
                                "alternatives": table_alternatives(), "loading": table_loading(program)},
             "docs/energy.md": {"energy": table_energy(stages)}}
    return update("max78002.py", pages, "--write" in sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
