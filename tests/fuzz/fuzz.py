#!/usr/bin/python3
"""Runs the fuzz targets, one after the other, and says what each reached.

  CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \\
      -Dbuildtype=debugoptimized -Dwerror=false -Ddefault_library=static
  tests/fuzz/fuzz.py build-fuzz --seconds 600 [target ...]

Every target starts from small files of its kind, made here from the networks and programs of this repository, from
tests/fuzz/corpus (the fewest inputs that reach what earlier runs reached) and from what earlier runs left in
FOLDER/TARGET (--keep FOLDER). libhdf5 1.10 has faults of its own in damaged files, so
targets that go through it run in a process that is started again; a crash counts as one of this project only if no
function of libhdf5 is where it happened. Exit status 1 if there was any.
"""
import argparse
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
THROUGH_HDF5 = {"dataset", "program", "weights"}
LENGTH = {"dataset": 16384, "elf": 65536, "mem": 4096, "network_yaml": 4096, "npy": 16384, "operations": 40001,
          "program": 32768, "sweep": 4096, "weights": 16384}
CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
ORDER = sorted(LENGTH)

NETWORKS = [
    "layers:\n  - {in_channels: 2, in_dim: [4, 4], out_channels: 3}\n  - {op: linear, flatten: true, out_channels: 2}\n",
    "layers:\n  - {in_channels: 3, in_dim: 8, out_channels: 5, max_pool: 2, pool_stride: 2, activate: ReLU}\n"
    "  - {out_channels: 5, quantization: 4, name: skip}\n  - {in_sequences: [0, skip], eltwise: add, operation: none}\n",
    "layers:\n  - {operation: conv1d, in_channels: 4, in_dim: 20, out_channels: 4, kernel_size: 3, pad: 1, dilation: 2}\n"
    "  - {operation: conv1d, kernel_size: 1, pad: 0, out_channels: 2, output_width: 32}\n",
    "layers:\n  - {in_channels: 70, in_dim: 4, out_channels: 70, kernel_size: 1x1, pad: 0, quantization: 1}\n"
    "  - {operation: convtranspose2d, stride: 2, output_pad: 1, out_channels: 4}\n",
    "arch: x\nlayers:\n- processors: 0x0000.0000.0000.0007\n  out_offset: 0x2000\n  in_channels: 3\n  in_dim: 6\n"
    "  out_channels: 4\n  streaming: true\n  data_format: CHW\n- processors: 0x00f0\n  output_processors: 0xf\n"
    "  write_gap: 1\n  avg_pool: [2, 3]\n  pool_stride: 1\n  out_channels: 4\n",
]


def small_programs(ai8xsim, folder):
    """Programs of the networks above, for both parts."""
    paths = []
    for number, text in enumerate(NETWORKS):
        (folder / f"n{number}.yaml").write_text(text)
        for part in "MAX78000", "MAX78002":
            path = folder / f"{part}-{number}.h5"
            done = subprocess.run([ai8xsim, "compile", "-q", folder / f"n{number}.yaml", "--random", "1", "--part", part,
                                   "-o", path, "--save-weights", folder / f"{part}-{number}-weights.h5"],
                                  capture_output=True)
            if done.returncode == 0:
                paths.append(path)
    return paths


def oldest_format(path, target):
    """The same content without the checksums of newer HDF5 formats, which would hide the reader."""
    with h5py.File(path) as old, h5py.File(target, "w", libver="earliest") as new:
        def add(name, item):
            if isinstance(item, h5py.Group):
                made = new.create_group(name)
            else:
                made = new.create_dataset(name, data=item[()])
            made.attrs.update(item.attrs)
        new.attrs.update(old.attrs)
        old.visititems(add)


def write_mem(path, target, part):
    with h5py.File(path) as file:
        ops = file["program"][:400]
        expected = file["program"][-20:]
    def text(rows):
        lines = [f"@{2 * i + k:04x} {int(row[('addr', 'value')[k]]):08x}\n"
                 for i, row in enumerate(rows) for k in (0, 1)]
        return "".join(lines).encode()
    target.write_bytes(bytes([part]) + text([r for r in ops if r["kind"] in (0, 5)][:60])
                       + b"\xff" + text([r for r in expected if r["kind"] == 3][:10]))


def write_operations(path, target, part):
    """What fuzz_operations.c reads: a byte for the part, then the operations as the file has them."""
    with h5py.File(path) as file:
        ops = file["program"][:]
    ops = [op for op in ops if op["kind"] != 3][-3000:] + [op for op in ops if op["kind"] == 3][:50]
    target.write_bytes(bytes([part]) + b"".join(struct.pack("<BIII", *map(int, (op["kind"], op["addr"], op["value"], op["mask"])))
                                                for op in ops))


def make_datasets(folder):
    rng = np.random.default_rng(2)
    for name, more in ("plain", {}), ("chunks", {"chunks": (2, 1, 4, 4), "compression": "gzip"}):
        with h5py.File(folder / name, "w", libver="earliest") as file:
            file.create_dataset("input", data=rng.integers(-128, 128, (6, 1, 4, 4)).astype("i1"), **more)
            file.create_dataset("labels", data=np.arange(6) % 2)
    with h5py.File(folder / "wide", "w", libver="latest") as file:
        file.create_dataset("images", data=rng.integers(-128, 128, (3, 2, 5)).astype(">i4"))


SWEEPS = [
    "network: ai8xsim-fuzz-n.yaml\nparameters:\n  part: [MAX78000, MAX78002]\n  first.out_channels: [8, 16]\n",
    "network: ai8xsim-fuzz-n.yaml\nparameters:\n  width: {set: [first.out_channels, second.out_channels], values: [3, 5]}\n"
    '  "*.quantization": [8, 4]\npareto: [less seconds, more parameters]\n',
    "network: ai8xsim-fuzz-n.yaml\nparameters:\n  kernel:\n    3x3: {first.kernel_size: 3x3, first.pad: 1}\n"
    "    1x1: {0.kernel_size: 1x1, first.pad: [0, 0]}\npareto: [cycles, joules]\n",
]


def smallest_elf():
    """A vector table and a jump to itself."""
    code = struct.pack("<IIHH", 0x20010000, 0x10000009, 0xe7fe, 0xbf00)
    header = struct.pack("<4sBBBB8xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 0, 2, 40, 1, 0x10000009, 52, 0, 0x05000000,
                         52, 32, 1, 40, 0, 0)
    return header + struct.pack("<8I", 1, 84, 0x10000000, 0x10000000, len(code), len(code), 5, 4) + code


def make_seeds(build, folder, seeds):
    programs = small_programs(build / "sim" / "ai8xsim", folder)
    if not programs:
        sys.exit("no network compiled: is sim/ai8xsim built?")
    for target in ORDER:
        (seeds / target).mkdir(parents=True)
    for number, text in enumerate(NETWORKS):
        (seeds / "network_yaml" / str(number)).write_text(text)
    for path in ROOT.glob("models/*/*.yaml"):
        (seeds / "network_yaml" / path.parent.name).write_bytes(path.read_bytes())
    for number, path in enumerate(programs):
        oldest_format(path, seeds / "program" / f"{number}-old")
        (seeds / "program" / str(number)).write_bytes(path.read_bytes())
        write_mem(path, seeds / "mem" / str(number), number % 2)
        write_operations(path, seeds / "operations" / str(number), 0 if path.stem.startswith("MAX78000") else 1)
        weights = path.with_name(path.stem + "-weights.h5")
        (seeds / "weights" / str(number)).write_bytes(weights.read_bytes())
        oldest_format(weights, seeds / "weights" / f"{number}-old")
    make_datasets(seeds / "dataset")
    for number, text in enumerate(SWEEPS):
        (seeds / "sweep" / str(number)).write_text(text)
    rng = np.random.default_rng(1)
    def values(*shape):
        return rng.integers(-128, 128, shape)
    npy = seeds / "npy"
    arrays = {"weight_0": values(3, 2, 3, 3), "bias_0": values(3), "weight_1": values(3, 48), "output_shift_0": np.array(1),
              "weight_bits_0": np.array(8), "input": values(2, 4, 4)}
    for kind in "int8", "int16", "<i8", ">i4", "bool", "float32":
        with (npy / f"weights-{kind.strip('<>')}").open("wb") as file:
            for array in arrays["weight_0"], arrays["weight_1"]:
                np.save(file, array.astype(kind))
    with (npy / "input").open("wb") as file:
        np.save(file, arrays["input"])
    with (npy / "fortran").open("wb") as file:
        np.save(file, np.asfortranarray(arrays["input"]))
    with (npy / "archive").open("wb") as file:
        np.savez(file, **arrays)
    with (npy / "packed").open("wb") as file:
        np.savez_compressed(file, **arrays)
    (seeds / "elf" / "smallest").write_bytes(smallest_elf())
    for path in CORPUS.glob("*.zip"):
        with zipfile.ZipFile(path) as kept:
            kept.extractall(seeds / path.stem)
    strip = shutil.which("arm-none-eabi-strip")
    for path in (build / "tests" / "firmware").glob("*.elf") if strip else ():
        stripped = folder / path.name
        subprocess.run([strip, "-o", stripped, path], check=True)
        if stripped.stat().st_size <= LENGTH["elf"]:
            (seeds / "elf" / path.stem).write_bytes(stripped.read_bytes())


def guilty(report):
    """The function in which a crash happened, and whether it is libhdf5's."""
    frames = re.findall(r"^\s+#\d+ 0x[0-9a-f]+\s+(?:in (\S+) )?(.*)$", report, re.M)
    for name, place in frames:
        if "libhdf5" in place or (name or "").startswith(("H5", "H5_")):
            return name or place, True
        if "/lib/" in place and place.split(":")[0].endswith(".c"):
            return f"{name} {place}", False
    summary = re.search(r"^SUMMARY: .*$", report, re.M)
    return summary.group(0) if summary else "unknown", False


def run(target, build, seeds, keep, seconds):
    corpus = keep / target
    found = keep / (target + "-found")
    for folder in corpus, found:
        folder.mkdir(parents=True, exist_ok=True)
    binary = build / "tests" / "fuzz" / f"fuzz_{target}"
    command = [binary, f"-max_total_time={seconds}", f"-max_len={LENGTH[target]}", f"-artifact_prefix={found}/",
               "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-detect_leaks=0" if target in THROUGH_HDF5 else
               "-detect_leaks=1"]
    if target in THROUGH_HDF5:
        command += ["-fork=1", "-ignore_crashes=1", "-ignore_timeouts=0", "-ignore_ooms=0"]
    done = subprocess.run(command + [corpus, seeds / target], capture_output=True, text=True, errors="replace")
    (keep / (target + ".log")).write_text(done.stderr)
    counters = re.findall(r"\((\d+) inline 8-bit counters\)", done.stderr)
    again = subprocess.run([binary, "-runs=0", "-detect_leaks=0", corpus, seeds / target], capture_output=True, text=True,
                           errors="replace").stderr
    edges = re.findall(r"cov: (\d+)", done.stderr + again)
    executed = re.findall(r"number_of_executed_units: (\d+)", done.stderr) or re.findall(r"^#(\d+)", done.stderr, re.M)
    crashes = {}
    for path in sorted(found.iterdir()):
        report = subprocess.run([binary, "-detect_leaks=1", path], capture_output=True, text=True, errors="replace")
        if report.returncode != 0:
            crashes.setdefault(guilty(report.stderr), []).append(path)
    own = [where for (where, foreign) in crashes if not foreign]
    bad = bool(own) or (done.returncode != 0 and target not in THROUGH_HDF5)
    print(f"{target}: {max(map(int, executed), default=0)} inputs in {seconds} s, "
          f"{max(map(int, edges), default=0)} of {max(map(int, counters), default=0)} edges, "
          f"{len(list(corpus.iterdir()))} inputs kept, {len(own)} faults here, "
          f"{sum(foreign for _, foreign in crashes)} places in libhdf5", flush=True)
    for (where, foreign), paths in crashes.items():
        print(f"  {'libhdf5' if foreign else 'HERE'}: {where}: {paths[0]}", flush=True)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("targets", nargs="*", choices=[[], *ORDER])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=pathlib.Path, help="folder of what is found and reached (default: a temporary one)")
    options = parser.parse_args()
    targets = options.targets or ORDER
    build = options.build.resolve()
    subprocess.run(["ninja", "-C", build, "--quiet", "sim/ai8xsim", *(f"tests/fuzz/fuzz_{t}" for t in targets)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        os.environ.setdefault("TMPDIR", "/dev/shm" if os.path.isdir("/dev/shm") else str(folder))
        make_seeds(build, folder, folder / "seeds")
        keep = (options.keep or folder / "kept").resolve()
        bad = [run(target, build, folder / "seeds", keep, options.seconds) for target in targets]
    return 1 if any(bad) else 0


if __name__ == "__main__":
    sys.exit(main())
