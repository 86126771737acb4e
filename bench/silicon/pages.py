"""What the scripts beside this file share: measured rows, and tables between marks of the pages."""
import csv
import functools
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent


def rows(path):
    """Rows of a table with a heading; lines with # are remarks."""
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))


MEASURED = {row["id"]: row for row in rows(SOURCE / "docs/reference/measured.tsv")}


def microseconds(identity):
    """A measured time."""
    row = MEASURED[identity]
    return float(row["value"]) * {"ms": 1000, "us": 1}[row["unit"]]


def ask(program, *arguments, parsed=True):
    """The JSON that a call of ai8xsim prints."""
    result = subprocess.run([program, *arguments], check=True, capture_output=True, text=True)
    return json.loads(result.stdout) if parsed else None


@functools.cache
def profile(program, part, network, *options):
    """What `profile` says of a description in networks/, or of a program file."""
    path = network if "/" in network else str(HERE / "networks" / part.lower() / f"{network}.yaml")
    return ask(program, "profile", "--json", "-", "--advice", "0", *options, path)["profile"]


CORE_MHZ = {"MAX78000": 100, "MAX78002": 120}
LOADED = {"MAX78000": str(SOURCE / "models/digits/digits.h5"), "MAX78002": str(SOURCE / "models/mobile/mobile.h5")}


def word_seconds(program, part, what, mhz):
    """Seconds of a kernel write or a word of input, with the accelerator at a clock."""
    loading = profile(program, part, LOADED[part], "--clock", f"{mhz:.9f} MHz")["loading"]
    return loading[f"{what}_seconds_estimate"] / loading[f"{what}_writes"]


@functools.cache
def access(program, part, first):
    """Core cycles before the accelerator's edge, and its cycles with that one, of a kernel word: the first of a line or another.

    At a slow clock the core's part ends in the first cycle of the accelerator; the clock at which it needs a second tells it. The
    first word of a line, one in four, needs it sooner."""
    def cycles(mhz):
        return word_seconds(program, part, "kernel", mhz) * mhz * 1e6
    slow, fast = 2, 16
    least = cycles(slow)
    while fast - slow > 1e-3:
        middle = (slow + fast) / 2
        slow, fast = (middle, fast) if cycles(middle) - least < (0.1 if first else 0.5) else (slow, middle)
    return CORE_MHZ[part] / fast, least


def emulated(part, what, count):
    """Microseconds that emulated firmware takes for so many accesses, by the accelerator's clock in MHz: kept rows."""
    loaded, mhz = {"kernels": 2052, "input": 1024}[what], CORE_MHZ[part]
    return {int(row["khz"]) / 1000: int(row[what]) / loaded * count / mhz
            for row in rows(HERE / "loading.tsv") if row["part"] == part}


def update(script, pages, write):
    """Compares tables with what lies between the marks of the pages, or writes them. Returns an exit status."""
    differs = False
    for page, tables in pages.items():
        path = SOURCE / page
        text = path.read_text(encoding="utf-8")
        for name, lines in tables.items():
            mark, end = f"<!-- {script}: {name} -->\n", "<!-- end -->"
            if mark not in text:
                sys.exit(f"{page}: the mark {mark.strip()} is missing")
            start = text.index(mark) + len(mark)
            stop = text.index(end, start)
            made = "\n" + "\n".join(lines) + "\n\n"
            if text[start:stop] != made:
                differs = True
                print(f"{page}: table '{name}' is not what the model gives now:\n{made}")
            text = text[:start] + made + text[stop:]
        if write:
            path.write_text(text, encoding="utf-8")
    return 1 if differs and not write else 0
