"""ai8xsim eval as users call it: data sets of every kind, resuming, interruptions, bad input."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
MODELS = os.path.join(os.environ["AI8XSIM_SOURCE"], "models")
DIGITS = os.path.join(MODELS, "digits", "digits.h5")
DIGITS_DATA = os.path.join(MODELS, "digits", "heldout.h5")
SHAPES = os.path.join(MODELS, "segmentation", "segmentation.h5")
SHAPES_DATA = os.path.join(MODELS, "segmentation", "heldout.h5")
KEYWORDS = os.path.join(MODELS, "keywords", "keywords.h5")

OK, FAILED, USAGE, BAD_INPUT, STOPPED, RESOURCES = range(6)


class Eval(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def data(self, name="data.h5", **tables):
        with h5py.File(self.path(name), "w") as file:
            for table, values in tables.items():
                file[table] = values
        return self.path(name)

    def eval(self, *arguments, code=OK, **options):
        run = subprocess.run([AI8XSIM, "eval", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, check=False, timeout=120, **options)
        self.assertEqual(run.returncode, code, run.stderr)
        return run

    def results(self, *arguments):
        return json.loads(self.eval(*arguments, "--json", "-").stdout)

    def outputs(self, path):
        with h5py.File(path, "r") as file:
            self.assertTrue((file["done"][()] == 1).all())
            return file["output"][()]


class Scores(Eval):
    def test_digits(self):
        out = self.path("out.h5")
        result = self.results(DIGITS, "--data", DIGITS_DATA, "-o", out, "-j", 2)
        with h5py.File(DIGITS_DATA, "r") as file:
            labels = file["labels"][:, 0]
        values = self.outputs(out)[:, :, 0, 0]
        order = numpy.argsort(-values, axis=1, kind="stable")
        self.assertEqual(result["inputs"], 540)
        self.assertEqual((result["cycles_are"], result["cycles_error"]), ("exact", 0))
        self.assertEqual(result["labels"]["top1"], int((order[:, 0] == labels).sum()))
        self.assertEqual(result["labels"]["top5"], int((order[:, :5] == labels[:, None]).any(axis=1).sum()))
        self.assertGreater(result["labels"]["top1_accuracy"], 0.98)
        confusion = numpy.zeros((10, 10), dtype=int)
        numpy.add.at(confusion, (labels, order[:, 0]), 1)
        self.assertEqual(result["labels"]["confusion"], confusion.tolist())
        with h5py.File(out, "r") as file:
            self.assertEqual(file["confusion"][()].tolist(), confusion.tolist())
        text = self.eval(DIGITS, "--data", DIGITS_DATA).stdout
        self.assertIn("98.15 %  (530 of 540)", text)

    def test_expected_output_of_the_program(self):
        """The recorded input gives the recorded output."""
        with h5py.File(KEYWORDS, "r") as file:
            recorded = file["input"][()]
            layer = max(file["layers"], key=int)
            expected = file["layers"][layer]["output"][()]
        flat = recorded.reshape(recorded.shape[0], -1)
        data = self.data(input=numpy.stack([flat, -1 - flat, flat]).astype("i4"))
        self.eval(KEYWORDS, "--data", data, "-o", self.path("out.h5"))
        values = self.outputs(self.path("out.h5"))
        numpy.testing.assert_array_equal(values[0], expected)
        numpy.testing.assert_array_equal(values[2], expected)
        self.assertTrue((values[1] != expected).any())

    def test_dense_labels(self):
        out = self.path("out.h5")
        result = self.results(SHAPES, "--data", SHAPES_DATA, "-o", out)["labels"]
        with h5py.File(SHAPES_DATA, "r") as file:
            labels = file["labels"][()].astype(int)
        answers = self.outputs(out).argmax(axis=1)
        ious = [((labels == c) & (answers == c)).sum() / ((labels == c) | (answers == c)).sum() for c in range(4)]
        self.assertEqual(result["of"], "pixels")
        self.assertEqual(result["top1"], int((labels == answers).sum()))
        self.assertAlmostEqual(result["mean_iou"], float(numpy.mean(ious)), places=12)

    def test_ignored_pixels(self):
        with h5py.File(SHAPES_DATA, "r") as file:
            images, labels = file["images"][:3], file["labels"][:3]
        labels[:, ::2] = 255
        result = self.results(SHAPES, "--data", self.data(input=images, labels=labels))["labels"]
        self.assertEqual(result["answers"], labels.size // 2)

    def test_threads_engines_and_limit_give_equal_files(self):
        contents = []
        for i, options in enumerate((["-j", 1], ["-j", 3], ["-j", 2, "--engine", "exact"], ["--cpu", "c"])):
            out = self.path(f"out{i}.h5")
            self.eval(DIGITS, "--data", DIGITS_DATA, "--limit", 100, "-o", out, *options)
            with open(out, "rb") as file:
                contents.append(file.read())
            self.assertEqual(self.outputs(out).shape, (100, 10, 1, 1))
        self.assertEqual(len(set(contents)), 1)

    def test_numpy_arrays(self):
        with h5py.File(DIGITS_DATA, "r") as file:
            numpy.save(self.path("images.npy"), file["images"][()].astype("i2"))
            numpy.save(self.path("labels.npy"), file["labels"][:, 0].astype("i8"))
            numpy.savez(self.path("both.npz"), input=file["images"][()], labels=file["labels"][()])
        for arguments in (["--data", self.path("images.npy"), f"--labels={self.path('labels.npy')}"],
                          ["--data", self.path("both.npz"), "--labels"]):
            self.assertEqual(self.results(DIGITS, *arguments)["labels"]["top1"], 530)


class Resuming(Eval):
    def begin(self, count):
        """Work of so many inputs, none of it done."""
        random = numpy.random.default_rng(5)
        self.inputs = random.integers(-128, 128, (count, 3, 32, 32), dtype="i1")
        self.source = self.data(input=self.inputs)
        self.out = self.path("out.h5")
        self.command = [AI8XSIM, "eval", SHAPES, "--data", self.source, "-o", self.out, "-j", "1"]

    def some_is_saved(self):
        """Whether the file of an interrupted run would tell of results. Looks at a copy: the file is being written."""
        try:
            copy = shutil.copy(self.out + ".part", self.path("copy.h5"))
            with h5py.File(copy, "r") as file:
                return bool((file["done"][()] == 1).any())
        except (OSError, KeyError):
            return False

    def interrupted(self, *signals):
        """Begins on the exact engine, which takes long, and ends it by a signal when some is done. A machine too
        fast to be caught is given more to do."""
        count, code = 400, 0
        while code == 0:
            self.begin(count)
            with subprocess.Popen([*self.command, "--restart", "--engine", "exact"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True) as process:
                while process.poll() is None and not self.some_is_saved():
                    time.sleep(0.05)
                for number in signals:
                    process.send_signal(number)
                stderr = process.communicate(timeout=60)[1]
            code = process.returncode
            count *= 4
        self.assertEqual(code, -signals[-1], stderr)
        self.assertFalse(os.path.exists(self.out))
        return stderr

    def finish_and_compare(self):
        result = json.loads(subprocess.run([*self.command, "--json", "-"], stdout=subprocess.PIPE, check=True,
                                           timeout=120).stdout)
        self.assertFalse(os.path.exists(self.out + ".part"))
        plain = self.path("plain.h5")
        self.eval(SHAPES, "--data", self.source, "-o", plain)
        with open(self.out, "rb") as one, open(plain, "rb") as other:
            self.assertEqual(one.read(), other.read())
        return result

    def test_interrupt(self):
        stderr = self.interrupted(signal.SIGINT)
        self.assertIn("the same command goes on from there", stderr)
        self.assertGreater(self.finish_and_compare()["resumed"], 0)

    def test_kill(self):
        self.interrupted(signal.SIGKILL)
        self.assertGreater(self.finish_and_compare()["resumed"], 0)

    def test_other_work(self):
        self.interrupted(signal.SIGTERM)
        part = self.out + ".part"
        with open(part, "rb") as file:
            before = file.read()
        with h5py.File(part, "r") as file:
            first = int(numpy.flatnonzero(file["done"][()])[0])
        changed = self.inputs.copy()
        changed[first, 0, 0, 0] ^= 1
        for arguments, message in (
                ([DIGITS, "--data", DIGITS_DATA], "another program"),
                ([SHAPES, "--data", self.source, "--limit", 17], "another number of inputs"),
                ([SHAPES, "--data", self.data("changed.h5", input=changed)], f"input {first} is not the same")):
            run = self.eval(*arguments, "-o", self.out, code=BAD_INPUT)
            self.assertIn(message, run.stderr)
            with open(part, "rb") as file:
                self.assertEqual(file.read(), before)
        self.eval(DIGITS, "--data", DIGITS_DATA, "-o", self.out, "--restart")
        self.assertEqual(self.outputs(self.out).shape, (540, 10, 1, 1))

    def test_damaged_part(self):
        self.begin(4)
        with open(self.out + ".part", "wb") as file:
            file.write(b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 20)
        self.assertIn("out.h5.part", self.eval(SHAPES, "--data", self.source, "-o", self.out, code=BAD_INPUT).stderr)


class BadInput(Eval):
    images = numpy.zeros((4, 1, 8, 8), dtype="i1")

    def refused(self, message, *arguments, code=BAD_INPUT):
        run = self.eval(DIGITS, *arguments, code=code)
        self.assertIn(message, run.stderr)
        self.assertLessEqual(run.stderr.count("\n"), 3)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("out")], [])

    def test_command_line(self):
        self.refused("no data set given", code=USAGE)
        self.refused("nothing would come out", "--data", self.data(input=self.images), code=USAGE)

    def test_files(self):
        self.refused("No such file", "--data", self.path("nothing.h5"))
        self.refused("is a directory", "--data", self.folder)
        self.refused("no data set 'input'", "--data", self.data(other=self.images))
        with open(self.path("text.h5"), "w", encoding="utf-8") as file:
            file.write("input")
        self.refused("cannot be opened as HDF5", "--data", self.path("text.h5"))
        self.refused("No such file", "--data", DIGITS_DATA, "-o", self.path("nowhere/out.h5"), code=RESOURCES)

    def test_inputs(self):
        out = ["-o", self.path("out.h5")]
        self.refused("not a table of integers", "--data", self.data(input=self.images.astype("S4")), *out)
        self.refused("inputs are 1 x 9 x 8, but the program takes 1 x 8 x 8", "--data",
                     self.data(input=numpy.zeros((2, 1, 9, 8), "i1")), *out)
        self.refused("5 dimensions", "--data", self.data(input=numpy.zeros((1, 1, 1, 8, 8), "i1")), *out)
        self.refused("there are no inputs", "--data", self.data(input=numpy.zeros((0, 1, 8, 8), "i1")), *out)

    def test_fractions(self):
        """A factor makes 8-bit values of them, in files of either kind; without one it is offered."""
        images = numpy.random.default_rng(4).integers(-128, 128, (4, 1, 8, 8))
        self.refused("--scale 128", "--data", self.data(input=images / 128), "-o", self.path("out.h5"))
        numpy.save(self.path("images.npy"), (images / 128).astype("f4"))
        self.refused("--scale 128", "--data", self.path("images.npy"), "-o", self.path("out.h5"))
        outputs = []
        for number, data in enumerate((self.data("whole.h5", input=images), self.data(input=images / 128),
                                       self.path("images.npy"))):
            out = self.path(f"scaled{number}.h5")
            words = ["--scale", "128"] if number > 0 else []
            self.eval(DIGITS, "--data", data, *words, "-o", out)
            with h5py.File(out) as file:
                outputs.append(file["output"][()])
        numpy.testing.assert_array_equal(outputs[1], outputs[0])
        numpy.testing.assert_array_equal(outputs[2], outputs[0])

    def test_data_as_people_have_them(self):
        """Bytes of pictures, whole numbers of floating point, other orders of bytes and axes, one nameless array: the outputs
        are those of plain integers, and what was done to the values is told."""
        images = numpy.random.default_rng(5).integers(-128, 128, (4, 1, 8, 8))
        plain = self.path("plain.h5")
        self.eval(DIGITS, "--data", self.data("plain_in.h5", input=images), "-o", plain)
        kinds = {"u1": images + 128, "f2": images, "f8": images, ">i4": images, "i8": images}
        files = {f"{name}.h5": self.data(input=values.astype(name)) for name, values in kinds.items() if name == "u1"}
        for name, values in kinds.items():
            files[name + ".h5"] = self.data(f"in_{name.strip('>')}.h5", input=values.astype(name))
            files[name + ".npy"] = self.path(f"in_{name.strip('>')}.npy")
            numpy.save(files[name + ".npy"], values.astype(name))
        files["fortran"] = self.path("fortran.npy")
        numpy.save(files["fortran"], numpy.asfortranarray(images))
        files["npz"] = self.path("one.npz")
        numpy.savez(files["npz"], images.astype("i1"))
        for number, (name, data) in enumerate(files.items()):
            with self.subTest(name=name):
                run = self.eval(DIGITS, "--data", data, "-o", self.path(f"out{number}.h5"))
                with h5py.File(plain) as left, h5py.File(self.path(f"out{number}.h5")) as right:
                    numpy.testing.assert_array_equal(left["output"][()], right["output"][()])
                noted = f"note: {data}: unsigned values from 0 to 255; 128 is subtracted" in run.stderr
                self.assertEqual(noted, "u1" in name)

    def test_other_shapes_are_explained(self):
        out = ["-o", self.path("out.h5")]
        self.refused("its channels come last: transpose it, numpy.transpose(inputs, (0, 3, 1, 2))", "--data",
                     self.data(input=numpy.zeros((2, 8, 8, 1), "i1")), *out)
        self.refused("a single one needs it, too, inputs[numpy.newaxis]", "--data",
                     self.data(input=numpy.zeros((1, 8, 8), "i1")), *out)
        self.refused("from 0 (black) to 1, subtract 0.5 and multiply by 256", "--data",
                     self.data(input=numpy.full((2, 1, 8, 8), 0.25)), *out)

    def test_values_out_of_range(self):
        for kind, value in (("u2", 128), ("i2", -129), ("i8", 2**40), ("u8", 2**63), ("f4", 128)):
            images = self.images.astype(kind)
            images[2, 0, 0, 5] = value
            run = self.eval(DIGITS, "--data", self.data(input=images, labels=[0, 1, 2, 3]), code=BAD_INPUT)
            self.assertIn("value 5 of input 2 is not in -128..127", run.stderr)

    def test_labels(self):
        self.refused("has no data set 'labels'", "--data", self.data(input=self.images), "--labels")
        self.refused("labels of 3 inputs, but there are 4", "--data", self.data(input=self.images, labels=[1, 2, 3]))
        self.refused("6 labels per input", "--data",
                     self.data(input=self.images, labels=numpy.zeros((4, 6), "u1")))
        for label in (10, -1):
            self.refused(f"label {label} of input 1 is not one of the 10 classes", "--data",
                         self.data(input=self.images, labels=[1, label, 3, 4]))

    def test_disk_full(self):
        if os.geteuid() != 0 or not shutil.which("mount"):
            self.skipTest("needs root to mount a small file system")
        small = self.path("small")
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", small], check=False).returncode != 0:
            self.skipTest("cannot mount here")
        try:
            data = self.data(input=numpy.zeros((200, 3, 32, 32), "i1"))
            run = self.eval(SHAPES, "--data", data, "-o", os.path.join(small, "out.h5"), code=RESOURCES)
            self.assertIn("out.h5.part", run.stderr)
        finally:
            subprocess.run(["umount", small], check=True)


if __name__ == "__main__":
    unittest.main()
