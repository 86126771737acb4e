"""Is the program what the model computes? Both are run on the same inputs, and every output value is compared."""

import os
import shutil
import subprocess
import tempfile

import numpy

from graph import evaluate
from refusal import Differs, Refused


def find_program(wish, needed):
    """The program ai8xsim: the one asked for, beside this tool, in a build folder, or in PATH; None: not needed."""
    here = os.path.dirname(os.path.realpath(__file__))
    if wish is None and os.environ.get("AI8XSIM"):
        wish = os.environ["AI8XSIM"]
    places = [wish] if wish else [os.path.join(here, "..", "..", "..", "bin", "ai8xsim"),
                                  os.path.join(here, "..", "..", "build", "sim", "ai8xsim"),
                                  shutil.which("ai8xsim") or ""]
    for place in places:
        if place and os.access(place, os.X_OK) and os.path.isfile(place):
            return place
    if not needed and not wish:
        return None
    raise Refused(f"{wish}: not a program" if wish else "--verify needs ai8xsim: put it into PATH, or name it with "
                                                       "--ai8xsim")


def call(command):
    """Runs the program; returns its status and what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stderr.strip() or done.stdout.strip())


def try_compile(program, yaml_path):
    """What `ai8xsim compile` has against the description, or nothing."""
    with tempfile.TemporaryDirectory(prefix="ai8xsim-import-") as folder:
        status, said = call([program, "compile", yaml_path, "-o", os.path.join(folder, "program.h5"), "-q"])
    return said.rpartition("ai8xsim: ")[2] if status != 0 else ""


def model_outputs(mapper, image, run_module):
    """What the model puts out, as integers, one array per output; image: as the accelerator reads it."""
    graph = mapper.graph
    value = numpy.empty(int(numpy.prod(graph.input_shape)))
    value[mapper.input_order] = image.ravel()
    given = value.reshape(graph.input_shape)
    unit = mapper.values[graph.input].unit
    if run_module is not None:
        return run_module(given)
    tensors = evaluate(graph, given * unit + mapper.input_offset, mapper.rules, mapper.weights, set(mapper.passed))
    return [tensors[name] for name in graph.outputs]


def program_outputs(path, mapper):
    """What the program's output layers put out."""
    import h5py

    found = {}
    with h5py.File(path, "r") as file:
        for number in file["layers"]:
            group = file[f"layers/{number}"]
            name = group.attrs.get("name", b"")
            found[name.decode() if isinstance(name, bytes) else str(name)] = group["output"][()]
    return found


def compare(mapper, outputs, layers, place):
    """Compares every output; returns how many values were compared."""
    count = 0
    for name, expected in zip(mapper.graph.outputs, outputs):
        value = mapper.values[name]
        layer = next(layer for layer in mapper.layers if layer.name == value.sources[0])
        got = layers[layer.name].ravel()
        wanted = expected.ravel() / value.unit
        if value.index is not None:
            wanted = wanted[numpy.argsort(value.index.ravel())]
        if wanted.size != got.size:
            raise Differs(f"output '{name}' has {wanted.size} values, layer {layer.name} {got.size}")
        wrong = numpy.flatnonzero(numpy.abs(wanted - got) > 1e-9)
        if wrong.size:
            at = int(wrong[0])
            raise Differs(f"input {place}: {wrong.size} of {got.size} values of output '{name}' differ from layer "
                          f"{layer.name}; the first is value {at}: the model has {wanted[at]:g}, the program {got[at]}")
        count += got.size
    return count


def verify(mapper, yaml_path, program, sample, inputs, run_module=None):
    """Compiles, runs and compares for several inputs; returns a sentence about it."""
    generator = numpy.random.default_rng(1)
    images = [sample] + [generator.integers(-128, 128, sample.shape).astype(numpy.int8) for _ in range(inputs - 1)]
    count = 0
    with tempfile.TemporaryDirectory(prefix="ai8xsim-import-") as folder:
        for place, image in enumerate(images):
            given, made = os.path.join(folder, "input.npy"), os.path.join(folder, "program.h5")
            numpy.save(given, image)
            status, said = call([program, "compile", yaml_path, "--input", given, "-o", made, "-q"])
            if status != 0:
                raise Refused(f"ai8xsim compile: {said}")
            status, said = call([program, "run", "--per-layer", made])
            if status != 0:
                raise Differs(f"ai8xsim run ends with {status}: {said[-400:]}")
            count += compare(mapper, model_outputs(mapper, image, run_module), program_outputs(made, mapper), place)
    return f"{count} output values of {len(images)} inputs equal the model's"
