#!/usr/bin/python3
"""The tables of docs/timing.md and docs/energy.md about the MAX78002, from measured rows.

    max78002.py AI8XSIM [--write]

Measured: docs/reference/measured.tsv. Networks: the descriptions in networks/max78002 beside this file. AI8XSIM compiles
and times them, and tells the time of bus accesses: nothing of the model is kept here. Without --write, exits with 1 where
the pages differ; with it, the pages are written.
"""
import functools
import sys
import tempfile

import numpy

from pages import HERE, LOADED, MEASURED, access, ask, emulated, microseconds, profile, update, word_seconds

PROGRAM = sys.argv[1]

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
# Writes of the note's programs where they are known; the others are those of the descriptions.
KERNEL_WRITES = {"kws20_v3_1": 38872, "cifar-100-mobilenet-v2-0.75": 343206, "mnist": 17864, "cifar-100-mixed": 41920}
INPUT_WORDS = {"kws20_v3_1": 4096, "cifar-100-mobilenet-v2-0.75": 1024}
# Network, first of four rows of its loading at 50 MHz: time and energy of kernels, time and energy of input (None: by FIFO).
COLD = [("cifar-100-mixed", 41, 43), ("cifar-100-mobilenet-v2-0.75", 49, 51), ("faceid", 73, None),
        ("imagenet-effnet2", 77, 79), ("kws20_v3_1", 93, 95), ("mnist", 101, 103), ("svhn_tinierssd", 117, 119)]


class Layer:
    """A layer as `profile` and `info` of its program tell it."""

    def __init__(self, timed, decoded):
        self.rows, columns = decoded["pooled"]
        self.pixels = self.rows * columns
        self.outputs = decoded["output"][0] * decoded["output"][1]
        self.taps = decoded["kernel"][0] * decoded["kernel"][1]
        self.pooled = decoded["pooled"] != decoded["input"]
        self.samples = decoded["input"][0] * decoded["input"][1]
        # Kernel windows that lie inside the image as a whole.
        self.windows = max(self.rows - decoded["kernel"][0] + 1, 0) * max(columns - decoded["kernel"][1] + 1, 0)
        self.passes, self.operands, self.slots = (decoded[key] for key in ("passes", "operands", "slots"))
        self.processors, self.extra = timed["processors"], timed["causes"]["pipeline"]
        self.cycles = timed["cycles"] - self.extra - timed["causes"]["stall"]
        # A depth-wise layer writes all channels of a pass at once.
        self.depthwise = self.taps > 1 and self.cycles < self.outputs * self.slots
        self.flattened = self.pixels == 1 and self.taps == 1 and self.passes > 1
        self.passthrough = decoded["operation"] == "passthrough"


@functools.cache
def layers_of(network):
    path = HERE / "networks" / "max78002" / f"{network}.yaml"
    with tempfile.TemporaryDirectory() as folder:
        made = f"{folder}/network.h5"
        ask(PROGRAM, "compile", "--quiet", "-o", made, str(path), parsed=False)
        decoded = ask(PROGRAM, "info", "--json", "-", made)["programs"][0]["layers"]
    timed = profile(PROGRAM, "MAX78002", network)["layers"]
    return [Layer(*both) for both in zip(timed, decoded, strict=True)]


def plain(network):
    return 1 + sum(layer.cycles for layer in layers_of(network))


def latency(network, identity):
    """Measured inference alone: mnist's is the sum with its input less the input, which have more digits."""
    value = microseconds(identity)
    return value - microseconds("an7664-103") if identity == "an7664-105" else value


def stages():
    """Cycles of the pipeline for each pixel: one number for all layers of all networks, or the model is another one."""
    found = {layer.extra / layer.pixels for network, *_ in LATENCIES for layer in layers_of(network)}
    if len(found) != 1:
        sys.exit(f"the pipeline's cycles for a pixel differ between layers: {sorted(found)}")
    return found.pop()


def table_latency():
    yield "| network | clock | measured | without the term | with it | off |"
    yield "|---------|------:|---------:|-----------------:|--------:|----:|"
    for network, identity, rounding in LATENCIES:
        mhz, value = float(MEASURED[identity]["clock_mhz"]), latency(network, identity)
        before = START_US + plain(network) / mhz
        after = before + sum(layer.extra for layer in layers_of(network)) / mhz
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
    "kernel window inside the image": lambda x: x.windows,
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
            x.append(sum(charge(layer) for layer in layers_of(network)) / mhz)
            y.append(value - START_US - plain(network) / mhz)
            limit.append(max(rounding, value / 100))
        x, y, limit = (numpy.array(values) for values in (x, y, limit))
        best = numpy.sum(x * y / limit ** 2) / numpy.sum(x * x / limit ** 2)
        off = numpy.abs(best * x - y) / limit
        yield f"| {name} | {best:.2f} | {int(numpy.sum(off > 1))} | {off.max():.1f} times the limit |"


def table_streaming():
    """faceid, the one network whose time includes layers that stream."""
    pixels = sum(layer.pixels for layer in layers_of("faceid")[:2])
    options = ("--feed", "fifo", "--clock", "IPLL")
    both = profile(PROGRAM, "MAX78002", "faceid", *options)["cycles"]
    none = profile(PROGRAM, "MAX78002", "faceid", *options, "--no-pipeline")["cycles"]
    others = sum(layer.extra for layer in layers_of("faceid")[2:])
    value = microseconds("an7664-075")
    yield "| extra cycles of | simulated | measured | off |"
    yield "|-----------------|----------:|---------:|----:|"
    for name, cycles in ((f"every layer ({pixels:,} of the pixels stream)", both),
                         ("layers that do not stream", none + others), ("no layer", none)):
        time = START_US + cycles / 200
        yield f"| {name} | {time / 1000:.2f} ms | {value / 1000:g} ms | {100 * (time / value - 1):+.1f} % |"


RETINA_US = (93754, 108718, 232746)  # row msdk-retina: the picture taken, loaded, and the whole, first of three frames
CHARACTER_US = 1e6 * 10 / 115200
RETINA_TEXT = (20, 39)  # characters printed before the picture is taken and before it is loaded
FIFO_CHARACTERS = 9
SLOW = 400  # cycles between words: the accelerator waits for each, so what is left does not depend on the pace


def table_retina():
    """What is left of a run of pascalvoc-retinanetv7_3 after its last word, with and without the pipeline."""
    taken, loaded, whole = RETINA_US
    left = whole - taken - loaded
    least = left - sum(RETINA_TEXT) * CHARACTER_US
    most = left - sum(n - FIFO_CHARACTERS for n in RETINA_TEXT) * CHARACTER_US
    yield "| pascalvoc-retinanetv7_3 | simulated | measured |"
    yield "|-------------------------|----------:|---------:|"
    for name, more in (("with the pipeline's cycles", ()), ("without", ("--no-pipeline", "--clock", "IPLL"))):
        timed = profile(PROGRAM, "MAX78002", "pascalvoc-retinanetv7_3", "--feed", "fifo", "--fifo-pace", str(SLOW), *more)
        rest = timed["cycles"] - SLOW * 81920
        yield f"| {name} | {rest / 200000:.1f} ms | {least / 1000:.1f} to {most / 1000:.1f} ms |"


def table_access():
    """A go of a copy loop; what a kernel takes more, which lies in flash."""
    yield "| go of a copy loop | MAX78000, core 100 MHz | MAX78002, core 120 MHz |"
    yield "|-------------------|-----------------------:|-----------------------:|"
    for name, first in (("word from memory", False), ("first word of a line of flash, one in four", True)):
        cells = [access(PROGRAM, part, first) for part in ("MAX78000", "MAX78002")]
        yield f"| {name} | " + " | ".join(f"{core:.2f} core + edge + {cycles - 1:.2f} accelerator cycles"
                                          for core, cycles in cells) + " |"


LOADINGS = {"cifar-100-mobilenet-v2-0.75": (167, 175), "kws20_v3_1": (183, 191)}  # first rows: kernels, input


def loading_rows(seconds):
    """Rows of measured loading times beside what `seconds` tells of kernel writes and input words at a clock."""
    yield "| network | clock | kernels, measured | simulated | off | input, measured | simulated | off |"
    yield "|---------|------:|------:|------:|----:|------:|------:|----:|"
    for network, (kernels, inputs) in LOADINGS.items():
        for i in range(8):
            identity = [f"an7664-{first + i}" for first in (kernels, inputs)]
            mhz = float(MEASURED[identity[0]]["clock_mhz"])
            cells = []
            for row, what, count in zip(identity, ("kernels", "input"), (KERNEL_WRITES[network], INPUT_WORDS[network])):
                value, expected = microseconds(row) / 1000, 1000 * seconds(what, count, mhz)
                cells += [f"{value:g} ms", f"{expected:.3g} ms", f"{100 * (expected / value - 1):+.1f} %"]
            yield f"| {network} | {mhz:g} MHz | " + " | ".join(cells) + " |"


def table_loading():
    return loading_rows(lambda what, count, mhz: count * word_seconds(PROGRAM, "MAX78002", what.removesuffix("s"), mhz))


def writes(network):
    """Kernel writes and words of input."""
    loading = profile(PROGRAM, "MAX78002", network)["loading"]
    return KERNEL_WRITES.get(network, loading["kernel_writes"]), loading["input_writes"]


def compared(identity, expected, unit):
    """Cells: a measured value, what the model says of it, and how far that is off."""
    row = MEASURED[f"an7664-{identity:03d}"]
    value = float(row["value"])
    digits = ".3g" if unit == "ms" else ",.0f"
    return [f"{value:g} {unit}", f"{expected:{digits}} {unit}", f"{100 * (expected / value - 1):+.1f} %"]


def table_cold():
    yield "| network | kernel writes | measured | simulated | off | input words | measured | simulated | off |"
    yield "|---------|------:|------:|------:|----:|------:|------:|------:|----:|"
    for network, kernels, inputs in COLD:
        both, cells = writes(network), []
        for row, what, count in zip((kernels, inputs), ("kernel", "input"), both):
            seconds = word_seconds(PROGRAM, "MAX78002", what, 50) * count
            cells += [f"{count:,}", *compared(row, 1000 * seconds, "ms")] if row else ["-"] * 4
        yield f"| {network} | " + " | ".join(cells) + " |"


def write_joules():
    loading = profile(PROGRAM, "MAX78002", LOADED["MAX78002"])["loading"]
    return loading["joules_estimate"] / sum(loading[f"{what}_writes"] for what in ("kernel", "bias", "register", "input"))


def table_loading_energy():
    yield "| network | kernel writes | measured | law | off |"
    yield "|---------|------:|------:|------:|----:|"
    for network, kernels, _ in COLD:
        count = writes(network)[0]
        yield f"| {network} | {count:,} | " + " | ".join(compared(kernels + 1, 1e6 * count * write_joules(), "uJ")) + " |"


def table_emulated():
    return loading_rows(lambda what, count, mhz: emulated("MAX78002", what, count)[mhz] / 1e6)


def solve(features, target, energies):
    weighted = features / energies[:, None]
    return numpy.linalg.lstsq(weighted, target / energies, rcond=None)[0]


def table_energy():
    features, energies, seconds = [], [], []
    for network, identity in ENERGIES:
        layers = layers_of(network)
        cycles = plain(network)
        features.append([cycles, sum(layer.cycles * layer.processors for layer in layers)])
        energies.append(float(MEASURED[identity]["value"]) * 1e-6)
        seconds.append((cycles + sum(layer.extra for layer in layers)) / (float(MEASURED[identity]["clock_mhz"]) * 1e6))
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


def table_volts():
    """Two networks at five clocks and two supplies; below 100 MHz without the pipeline."""
    yield "| network | clock | 1.0 V, measured | law | off | 1.1 V, measured | law | off |"
    yield "|---------|------:|------:|------:|----:|------:|------:|----:|"
    for network, first in (("cifar-100-mobilenet-v2-0.75", 130), ("kws20_v3_1", 151)):
        for i in range(5):
            cells = []
            for volts, identity in ("1.0", f"an7664-{first + 8 + i}"), ("1.1", f"an7664-{first + i}"):
                value, mhz = float(MEASURED[identity]["value"]), float(MEASURED[identity]["clock_mhz"])
                options = ("--volts", volts, "--clock", f"{mhz:g} MHz", *(("--no-pipeline",) if mhz < 100 else ()))
                law = 1e6 * profile(PROGRAM, "MAX78002", network, *options)["joules_estimate"]
                cells += [f"{value:,.0f} uJ", f"{law:,.0f} uJ", f"{100 * (law / value - 1):+.0f} %"]
            yield f"| {network} | {mhz:g} MHz | " + " | ".join(cells) + " |"


def main():
    print(f"{stages():g} cycles of the pipeline for each pixel of the image")
    pages = {"docs/timing.md": {"latency": table_latency(), "unpipelined": table_unpipelined(),
                                "alternatives": table_alternatives(), "streaming": table_streaming(),
                                "retina": table_retina(), "access": table_access(), "loading": table_loading(),
                                "cold": table_cold(), "emulated": table_emulated()},
             "docs/energy.md": {"energy": table_energy(), "volts": table_volts(),
                                "loading-energy": table_loading_energy()}}
    return update("max78002.py", pages, "--write" in sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
