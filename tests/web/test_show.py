"""ai8xsim show: numbers of the page, read in Chromium, against the engine's trace and against arithmetic of our own."""
import collections
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import browser

AI8XSIM, SOURCE, GOLDEN = (os.environ[name] for name in ("AI8XSIM", "AI8XSIM_SOURCE", "AI8XSIM_GOLDEN"))
MODELS = [os.path.join(SOURCE, "models", name, f"{name}.h5")
          for name in ("digits", "keywords", "mobile", "segmentation", "wide")]
OK, FAILED, USAGE, BAD_INPUT, STOPPED = range(5)
MOST_BYTES = 5_000_000

# All that the page holds, in the words of the CSV trace.
ROWS = """
const {app} = ai8xsim, run = app.runs[arguments[0]], done = arguments[1];
(async () => {
  if (!run.opened) await run.open();
  const states = [], rows = [], hexa = (n, d) => n.toString(16).padStart(d, '0');
  for (let i = 0; i < run.segmentCount; i++) {
    const {state, pass, slot, cycles, wait} = run.pattern[run.segPattern[i]];
    const layer = run.segLayer[i] < 0 ? '' : run.layers[run.segLayer[i]].index;
    state.forEach((s, k) => states.push([run.segCycle[i] + k, layer, wait ? cycles : 1, run.segRow[i], run.segColumn[i],
      pass[k], slot[k], ai8xsim.data.states[s]].join()));
  }
  for (const [from, to] of run.windows) for (let cycle = from; cycle < to; cycle++) {
    const e = run.eventsAt(cycle), now = run.at(cycle), word = w => `${w.instance},${w.word},0x${hexa(w.value, 8)}`;
    for (const r of e.reads) rows.push(`${cycle},read,${r.pass},,${word(r)}`);
    for (const w of e.writes) rows.push(`${cycle},write,,${w.pass},${word(w)}`);
    for (const w of e.inputs) rows.push(`${cycle},write,,${w.pass},${word(w)}`);
    if (e.tram) rows.push(`${cycle},tram,${e.tram.row},${e.tram.column},${[...e.tram.values].map(v => hexa(v & 255, 2)).join('')}`);
    for (const o of e.outputs) rows.push(`${cycle},output,${o.slot},${o.pixel},${o.value},${o.sum}`);
    for (const p of e.pushes) rows.push(`push,${p.fifo},0x${hexa(p.value, 8)},${p.level}`);
    for (const p of e.pops) rows.push(`pop,${p.fifo},0x${hexa(p.value, 8)},${p.level}`);
  }
  return {states, rows, windows: run.windows};
})().then(done, error => done({error: String(error)}));
"""

# What the page holds beside the trace, recomputed here: the operands and sums of each output cycle.
SUMS = """
const {app} = ai8xsim, run = app.runs[arguments[0]], found = [];
for (const [from, to] of run.windows) for (let cycle = from; cycle < to; cycle++) {
  const e = run.eventsAt(cycle), now = run.at(cycle);
  if (e.reads.length) {
    const own = run.readsAt(now).map(r => [r.instance, r.word].join()).join(' ');
    found.push({cycle, reads: e.reads.map(r => [r.instance, r.word].join()).join(' '), own});
  }
  for (const write of e.writes) {
    const slot = write.pass, place = run.outputPlace(now.layer, slot, write.pixel);
    found.push({cycle, write: [write.instance, write.word].join(), own: [place.instance, place.word].join()});
  }
  if (!e.kernels.length) continue;
  found.push({cycle, layer: now.layer.index, depthwise: now.layer.depthwise, shift: now.layer.outputShift,
    bits: now.layer.outputBits, activation: now.layer.activation, passes: now.layer.passes,
    kernels: e.kernels.map(k => ({...k, window: [...run.operand[k.window]], weights: [...run.operand[k.weights]]})),
    sums: e.sums, outputs: e.outputs, biases: e.biases});
  if (found.length > 6000) return found;
}
return found;
"""


def show(*arguments):
    """Makes a page."""
    return subprocess.run([AI8XSIM, "show", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=300)


def golden(name):
    """A recorded program, where there are any."""
    path = os.path.join(GOLDEN, "max78000", name)
    if not os.path.exists(path):
        raise unittest.SkipTest(f"{path} is missing")
    return path


class Page(unittest.TestCase):
    """Pages in one browser."""

    @classmethod
    def setUpClass(cls):
        browser.needed()
        cls.stack = browser.contextlib.ExitStack()
        cls.driver = cls.stack.enter_context(browser.browser())
        cls.folder = cls.stack.enter_context(tempfile.TemporaryDirectory())
        browser.size(cls.driver, 1280, 900)

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def page(self, *arguments, expected=OK):
        """Makes and opens a page; returns its path."""
        path = os.path.join(self.folder, f"page{len(os.listdir(self.folder))}.html")
        result = show(*arguments, "-o", path)
        self.assertEqual(result.returncode, expected, result.stderr)
        browser.open_page(self.driver, path)
        return path

    def script(self, text, *arguments):
        """What JavaScript on the page gives."""
        return self.driver.execute_script(text, *arguments)

    def trace(self, program, *options):
        """The trace's rows by event."""
        path = os.path.join(self.folder, "trace.csv")
        subprocess.run([AI8XSIM, "trace", program, "-o", path, *options], check=True, timeout=300)
        rows = collections.defaultdict(list)
        with open(path, encoding="ascii") as file:
            for row in csv.DictReader(file):
                rows[row["event"]].append(row)
        return rows

    def compare_with_trace(self, program):
        """Every cycle and every value that the page holds, against the trace."""
        trace = self.trace(program)
        held = self.driver.execute_async_script(ROWS, 0)
        self.assertNotIn("error", held)
        states = [",".join(row[key] for key in ("cycle", "layer", "cycles", "row", "column", "pass", "slot", "detail"))
                  for row in trace["state"]]
        self.assertEqual(len(held["states"]), len(states))
        for ours, theirs in zip(held["states"], states):
            self.assertEqual(ours, theirs)
        windows = held["windows"]

        def inside(row):
            return any(start <= int(row["cycle"]) < end for start, end, _ in windows)

        expected = collections.Counter()
        for row in filter(inside, trace["read"] + trace["write"]):
            expected[f'{row["cycle"]},{row["event"]},{row["pass"]},{row["slot"]},{row["unit"]},{row["word"]},{row["value"]}'] += 1
        for row in filter(inside, trace["tram"]):
            expected[f'{row["cycle"]},tram,{row["row"]},{row["column"]},{row["detail"]}'] += 1
        for row in filter(inside, trace["output"]):
            expected[f'{row["cycle"]},output,{row["slot"]},{row["word"]},{row["value"]},{row["detail"]}'] += 1
        ours = collections.Counter(row for row in held["rows"] if not row.startswith(("push", "pop")))
        self.assertEqual(ours - expected, collections.Counter())
        self.assertEqual(expected - ours, collections.Counter())
        fifo = collections.Counter(f'{row["event"]},{row["unit"]},{row["value"]},{row["detail"]}'
                                   for row in trace["push"] + trace["pop"])
        pushed = collections.Counter(row for row in held["rows"] if row.startswith(("push", "pop")))
        self.assertEqual(pushed - fifo, collections.Counter())
        return windows

    def recompute(self, entry):
        """One output cycle from its operands: sums of the groups, the output stage."""
        for sums in entry["sums"]:
            parts = [0, 0, 0, 0]
            for kernel in entry["kernels"]:
                if kernel["slot"] == sums["slot"]:
                    for i, (a, b) in enumerate(zip(kernel["window"], kernel["weights"])):
                        parts[i % 64 // 16] += a * b
            key = entry["layer"], sums["slot"]
            if sums["pass"] == 0:
                self.running[key] = [0, 0, 0, 0]
            elif key not in self.running:
                continue
            self.running[key] = [a + b for a, b in zip(self.running[key], parts)]
            self.assertEqual(sums["group"], self.running[key], entry["cycle"])
        for output in entry["outputs"]:
            total = output["sum"]
            bias = sum(b["value"] for b in entry["biases"] if b["slot"] == output["slot"])
            key = entry["layer"], output["slot"]
            if not entry["depthwise"] and key in self.running:
                self.assertEqual(total, sum(self.running[key]) + 128 * bias)
            value = total
            if entry["bits"] == 8:
                right = 7 - entry["shift"]
                value = (total + (1 << right - 1)) >> right if right > 0 else total << -right
                value = max(-128, min(127, value))
                value = max(0, value) if entry["activation"] == "relu" else min(127, abs(value)) if entry["activation"] == "abs" else value
            self.assertEqual(output["value"], value, entry["cycle"])

    def recompute_all(self):
        """Addresses by the pointers that the page knows, and arithmetic."""
        self.running, checked = {}, 0
        for entry in self.script(SUMS, 0):
            if "own" in entry:
                self.assertEqual(entry.get("reads", entry.get("write")), entry["own"], entry["cycle"])
            else:
                self.recompute(entry)
                checked += 1
        return checked

    def compare_counters(self, program):
        """Counters of the page in its last cycle, and per layer, against `ai8xsim run`."""
        run = json.loads(subprocess.run([AI8XSIM, "run", "--json", "-", program], stdout=subprocess.PIPE, check=False,
                                        timeout=300).stdout)["programs"][0]
        layers = self.script("""const {run} = ai8xsim.app;
          return run.layers.map(l => ({cycles: l.cycles, macs: l.macs, states: l.states, counted: [...run.layerCounts(l.position, run.cycles)],
            products: productsOf ? 0 : 0}));""".replace("products: productsOf ? 0 : 0", "position: l.position"))
        self.assertEqual(self.script("return ai8xsim.app.run.cycles"), run["cycles"])
        self.assertEqual([layer["cycles"] for layer in layers], [layer["cycles"] for layer in run["layers"]])
        self.assertEqual([layer["macs"] for layer in layers], [layer["macs"] for layer in run["layers"]])
        for layer in layers:
            self.assertEqual(layer["states"], layer["counted"])
            self.assertEqual(layer["cycles"], sum(layer["states"]))


class Numbers(Page):
    """What the page says is what the engine does."""

    def test_shipped_models(self):
        """Each model that ships: small enough, first paint soon, and every number the engine's."""
        for program in MODELS:
            with self.subTest(program=os.path.basename(program)):
                path = self.page(program)
                self.assertLess(os.path.getsize(path), MOST_BYTES)
                paint = self.script("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
                print(f"{os.path.basename(program)}: {os.path.getsize(path):,} bytes, first paint after {paint or 0:.0f} ms")
                self.compare_counters(program)
                self.compare_with_trace(program)
                self.assertGreater(self.recompute_all(), 50)

    def test_streaming(self):
        """Layers in turns, rings, FIFO words."""
        for name in ("fifostream-pool-hwc.h5", "fifostream-nonsquare.h5"):
            program = golden(name)
            self.page(program)
            self.compare_counters_of_states()
            self.compare_with_trace(program)
            self.recompute_all()

    def compare_counters_of_states(self):
        """Prefix sums against the layers' reports."""
        for layer in self.script("const {run} = ai8xsim.app; return run.layers.map(l => [l.states, [...run.layerCounts(l.position, run.cycles)]])"):
            self.assertEqual(*layer)

    def test_networks(self):
        """Networks: passes, operands, transposed and depth-wise, both parts."""
        folder = os.path.join(SOURCE, "docs", "cookbook")
        for arguments, expected in ((("channels-68.yaml",), OK), (("overlap.yaml",), FAILED),
                                    (("channels-60.yaml", "--part", "MAX78002"), OK)):
            self.page(os.path.join(folder, arguments[0]), *arguments[1:], expected=expected)
            self.compare_counters_of_states()
            self.assertGreater(self.recompute_all(), 50)

    def test_counters_grow(self):
        """Counters in any cycle are those of a plain count over the sequence."""
        self.page(MODELS[0])
        self.assertEqual(self.script("""
          const {run} = ai8xsim.app, plain = new Array(ai8xsim.data.states.length).fill(0), wrong = [];
          for (let cycle = 0; cycle < run.cycles; cycle++) {
            if (cycle % 97 === 0 && run.counts(cycle).join() !== plain.join()) wrong.push(cycle);
            plain[run.at(cycle).state]++;
          }
          return wrong;"""), [])

    def test_chosen_cycles(self):
        """--from, --to and --layer choose what is held with values."""
        self.page(MODELS[0], "--from", 500, "--to", 600)
        self.assertEqual(self.script("return ai8xsim.app.run.windows.map(w => w.slice(0, 2))"), [[500, 600]])
        self.page(MODELS[0], "--layer", 3)
        held = self.script("const {run} = ai8xsim.app; return run.windows.map(([a, b]) => [run.at(a).layer.index, run.at(b - 1).layer.index])")
        self.assertTrue(held and all(pair == [3, 3] for pair in held), held)


class Blocks(Page):
    """Line buffers, kernel memories, FIFOs and images as the page draws them, against the engine's events."""

    LINES = """
      const {run} = ai8xsim.app, {lineRows} = ai8xsim, found = {cells: 0, wrong: []};
      for (const [from, to] of run.windows) for (let cycle = from; cycle < to; cycle++) {
        const now = run.at(cycle), {kernels} = run.eventsAt(cycle), {layer} = now;
        for (const kernel of kernels) {
          const window = run.operand[kernel.window];
          for (const p of [layer.on.indexOf(1), layer.on.lastIndexOf(1)]) {
            const rows = lineRows(run, {...now, pass: kernel.pass}, p, now.column - layer.kernelColumns + 1, now.column);
            rows.flat().forEach((cell, tap) => {
              if (cell.value === undefined) return;
              found.cells++;
              if (cell.value !== window[64 * tap + p]) found.wrong.push([cycle, p, tap, cell, window[64 * tap + p]]);
            });
          }
        }
      }
      return {cells: found.cells, wrong: found.wrong.slice(0, 3)};"""

    def test_line_buffers(self):
        """What the line buffers hold is what the processors multiply: one and more passes, pooling, streaming, operands."""
        folder = os.path.join(SOURCE, "docs", "cookbook")
        for arguments in ((MODELS[0],), (os.path.join(folder, "channels-68.yaml"),), (golden("fifostream-pool-hwc.h5"),),
                          (os.path.join(SOURCE, "web", "tours", "transposed.yaml"),)):
            self.page(*arguments)
            found = self.script(self.LINES)
            self.assertEqual(found["wrong"], [], arguments)
            self.assertGreater(found["cells"], 1000, arguments)

    def test_kernel_memories(self):
        """The words of each layer are those of the memory map."""
        for program in MODELS:
            self.page(program)
            ranges = self.script("""const {run} = ai8xsim.app; return run.layers.map(layer => [0, 1, 2, 3].map(g => {
              const used = layer.kernels && !layer.bypass && layer.multiplies.slice(16 * g, 16 * g + 16).some(Boolean);
              const range = used ? ai8xsim.kernelRange(layer, g) : null;
              return range && [range.first, range.last];
            }))""")
            told = json.loads(subprocess.run([AI8XSIM, "map", "--json", "-", program], stdout=subprocess.PIPE, check=True,
                                             timeout=300).stdout)
            self.compare_kernel_words(ranges, told)

    def compare_kernel_words(self, ranges, told):
        """Ranges of the page against the words that `ai8xsim map` gives to each layer's processors."""
        compared = 0
        for layer, groups in enumerate(ranges):
            for group, shown in enumerate(groups):
                own = [run for run in told["kernels"] if run["owner"] == layer and run["processor"] // 16 == group]
                if shown is None or not own:
                    continue
                self.assertEqual(shown, [min(run["first"] for run in own), max(run["first"] + run["count"] - 1 for run in own)])
                compared += 1
        self.assertGreater(compared, 0)

    def test_fifos(self):
        """The level that is shown in a cycle is that after the last word that went in or out."""
        self.page(golden("fifostream-pool-hwc.h5"))
        self.assertFalse(self.script("return fifos.hidden"))
        self.assertEqual(self.script("""const {run} = ai8xsim.app, wrong = [];
          for (const [from, to] of run.windows) {
            const last = new Array(5).fill(null);
            for (let cycle = from; cycle < to; cycle++) {
              const e = run.eventsAt(cycle);
              for (const word of [...e.pops, ...e.pushes]) last[word.fifo] = word;
              const shown = ai8xsim.fifosAt(run, cycle);
              last.forEach((word, f) => { if ((shown[f]?.level ?? null) !== (word?.level ?? null)) wrong.push([cycle, f]); });
            }
          }
          return wrong.slice(0, 3);"""), [])
        self.page(MODELS[0])
        self.assertTrue(self.script("return fifos.hidden"))

    def test_images(self):
        """Shades of the output image are the values that the engine computes; of the input those it reads."""
        self.page(MODELS[0], "--layer", 0)
        found = self.script("""const {app} = ai8xsim, {run} = app, layer = run.layers[0];
          app.go(layer.cycles - 1);
          const data = app.tensors.output.still.getContext('2d').getImageData(0, 0, layer.outputColumns, layer.outputRows).data;
          const channel = app.tensors.channelOf(layer, app.now, true), shades = {}, wrong = [];
          for (let cycle = 0; cycle <= app.cycle; cycle++) for (const o of run.eventsAt(cycle)?.outputs ?? []) if (o.slot === channel) shades[o.pixel] = o.value + 128;
          for (const [pixel, shade] of Object.entries(shades)) if (data[4 * pixel] !== shade) wrong.push([pixel, shade, data[4 * pixel]]);
          return {count: Object.keys(shades).length, wrong};""")
        self.assertEqual(found["wrong"], [])
        self.assertEqual(found["count"], 64)
        self.assertEqual(self.script("return ai8xsim.planeValues(ai8xsim.app.run, ai8xsim.app.run.layers[0], false, 0).length"), 64)

    def test_loading(self):
        """The core's writes, one entry after the other, light the memories that they reach; then the run begins."""
        self.page(MODELS[0])
        lit = self.script("""const {app} = ai8xsim, {run} = app, lit = {};
          run.load.forEach((load, index) => {
            app.counters.showHost(index);
            lit[load.region + ' ' + load.after] = [document.querySelectorAll('.word.write').length, document.querySelectorAll('.proc.mul').length, sentence.textContent];
          });
          return lit;""")
        kernel, data = lit["kernel memory false"], next(value for name, value in lit.items() if name.startswith("data") and name.endswith("false"))
        told = json.loads(subprocess.run([AI8XSIM, "map", "--json", "-", MODELS[0]], stdout=subprocess.PIPE, check=True,
                                         timeout=300).stdout)
        self.assertEqual(kernel[:2], [0, len({run["processor"] for run in told["kernels"]})])
        self.assertEqual(data[:2], [1, 0])
        self.assertIn("64 accesses: the core writes data memory", data[2])
        self.script("document.getElementById('host-play').click()")
        self.driver.execute_async_script("const done = arguments[0]; setTimeout(done, 700)")
        self.assertIn("2 of", self.script("return document.getElementById('host-now').textContent"))
        self.script("ai8xsim.app.go(5)")
        self.assertEqual(self.script("return document.getElementById('host-now').textContent"), "")


class Use(Page):
    """As people use it."""

    def test_sentences(self):
        """Each kind of cycle has a sentence of its own that names the layer and its numbers."""
        self.page(MODELS[0])
        said = self.script("""const {run} = ai8xsim.app, seen = {};
          for (let cycle = 0; cycle < run.cycles; cycle++) {
            const name = ai8xsim.data.states[run.at(cycle).state];
            seen[name] ??= ai8xsim.sentence(run, cycle);
          }
          return seen;""")
        self.assertIn("Layer 0 “stem”, pixel (−1, −1)", said["pad"])
        self.assertRegex(said["read"], r"channel 0 of input pixel \(0, 0\) is read: one word from memory 0, all at word 0x")
        self.assertIn("9 multiplications", said["output"])

    def test_keyboard(self):
        """Keys play, step, and go to layers."""
        from selenium.webdriver.common.keys import Keys
        self.page(MODELS[0])
        body = self.driver.find_element("tag name", "body")
        body.send_keys(Keys.ARROW_RIGHT)
        self.assertEqual(self.script("return ai8xsim.app.cycle"), 1)
        body.send_keys(Keys.PAGE_DOWN)
        self.assertEqual(self.script("return ai8xsim.app.now.layer.position"), 1)
        body.send_keys(Keys.END)
        self.assertEqual(self.script("return ai8xsim.app.cycle"), self.script("return ai8xsim.app.run.cycles - 1"))
        body.send_keys(Keys.HOME)
        body.send_keys(" ")
        self.assertTrue(self.script("return ai8xsim.app.playing"))
        body.send_keys(" ")
        self.assertFalse(self.script("return Boolean(ai8xsim.app.playing)"))
        self.assertEqual(self.script("""return [...document.querySelectorAll('button, select, input')]
          .filter(n => !n.textContent.trim() && !n.labels?.length && !n.getAttribute('aria-label')).map(n => n.outerHTML)"""), [])

    def test_touch(self):
        """Two fingers zoom the time line, one moves it, a tap goes to a cycle."""
        path = self.page(MODELS[0])
        browser.size(self.driver, 390, 844)
        try:
            browser.open_page(self.driver, path)
            self.script("document.getElementById('timeline').scrollIntoView({block: 'center'})")
            left, top = self.script("const box = document.getElementById('timeline').getBoundingClientRect(); return [box.left, box.top]")

            def touch(kind, *xs):
                self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [
                    {"x": left + x, "y": top + 40, "id": i} for i, x in enumerate(xs)]})

            span = "return ai8xsim.app.timeline.to - ai8xsim.app.timeline.from"
            whole = self.script(span)
            touch("touchStart", 150, 200)
            touch("touchMove", 100, 250)
            touch("touchEnd")
            self.assertLess(self.script(span), 0.6 * whole)
            before = self.script("return ai8xsim.app.timeline.from")
            touch("touchStart", 200)
            touch("touchMove", 150)
            touch("touchMove", 100)
            touch("touchEnd")
            self.assertGreater(self.script("return ai8xsim.app.timeline.from"), before)
            expected = self.script("return Math.floor(ai8xsim.app.timeline.cycleAt(120))")
            touch("touchStart", 120)
            touch("touchEnd")
            self.assertAlmostEqual(self.script("return ai8xsim.app.cycle"), expected, delta=whole / 300)
        finally:
            browser.size(self.driver, 1280, 900)

    def test_playing(self):
        """Playing moves and ends; how long a step takes is printed."""
        self.page(MODELS[0])
        took = self.driver.execute_async_script("""const done = arguments[0], {app} = ai8xsim;
          app.go(300); app.speed = 60; app.play(); const begin = performance.now();
          setTimeout(() => { const frames = app.frames, from = app.cycle; app.pause();
            done({cycle: from, frames: frames.length, seconds: (performance.now() - begin) / 1000,
                  each: frames.reduce((a, b) => a + b, 0) / frames.length, worst: Math.max(...frames)}); }, 2000);""")
        print(f"playing: {took['frames'] / took['seconds']:.0f} frames/s, {took['each']:.2f} ms a frame, at most {took['worst']:.1f} ms")
        self.assertGreater(took["cycle"], 300)
        self.script("ai8xsim.app.playFor(3, 100)")
        self.driver.execute_async_script("const done = arguments[0]; const wait = () => ai8xsim.app.playing ? setTimeout(wait, 20) : done(); wait();")
        self.assertEqual(self.script("return ai8xsim.app.cycle"), took["cycle"] + 3)

    def test_pixels_and_words(self):
        """From a pixel to its words and back, for every input pixel of every layer."""
        self.page(MODELS[0])
        self.assertEqual(self.script("""const {app} = ai8xsim, {run, tensors} = app, wrong = [];
          for (const layer of run.layers) {
            app.goLayer(layer.position);
            for (let r = 0; r < layer.rows; r++) for (let c = 0; c < layer.columns; c++) {
              const word = run.inputWord(layer, layer.instances[0], r, c, layer.passes - 1, layer.operands - 1);
              const back = tensors.meaning(layer.instances[0], word).find(m => m.input);
              if (!back || (layer.chw ? back.row * layer.columns + back.column !== (r * layer.columns + c & ~3) : back.row !== r || back.column !== c || back.pass !== layer.passes - 1))
                wrong.push([layer.index, r, c, word, back]);
            }
          }
          return wrong.slice(0, 5);"""), [])

    def test_small_screen(self):
        """390 pixels are enough, light and dark."""
        path = self.page(MODELS[0])
        try:
            for width, dark in ((390, False), (390, True), (1280, True)):
                browser.size(self.driver, width, 844, dark)
                browser.open_page(self.driver, path)
                self.assertLessEqual(self.script("return document.documentElement.scrollWidth"), width)
                self.assertEqual(self.script("return document.documentElement.dataset.theme"), "dark" if dark else "light")
        finally:
            browser.size(self.driver, 1280, 900)

    def test_nothing_from_outside(self):
        """The page names no other file and no server."""
        with open(self.page(MODELS[0]), encoding="utf-8") as file:
            page = file.read()
        self.assertNotRegex(page, r"https?://|src=|@import|url\(|<link")

    def test_html(self):
        """The page is HTML by the standard's parser."""
        try:
            import html5lib
        except ImportError:
            self.skipTest("python3-html5lib is missing")
        with open(self.page(MODELS[0]), encoding="utf-8") as file:
            parser = html5lib.HTMLParser(strict=False)
            document = parser.parse(file.read())
        self.assertEqual(parser.errors, [])
        names = [node.get("id") for node in document.iter() if node.get("id")]
        self.assertEqual(len(names), len(set(names)))


class Firmware(Page):
    """Images for the board."""

    def test_firmware(self):
        """What the core writes comes before the run."""
        image = os.path.join(os.environ.get("AI8XSIM_FIRMWARE", ""), "digits.elf")
        if not os.path.exists(image):
            self.skipTest("no firmware image was built")
        self.page(image)
        load = self.script("return ai8xsim.app.run.load")
        regions = [entry["region"] for entry in load]
        self.assertLess(regions.index("kernel memory"), [entry["kind"] for entry in load].index("RUN"))
        self.assertIn("kernel memory", self.script("return host.textContent"))
        self.assertEqual(self.script("return ai8xsim.app.run.layers.length"), 10)
        self.compare_with_trace(image)


class CommandLine(unittest.TestCase):
    """Options and errors; needs no browser."""

    def test_errors(self):
        """Each mistake has a message and the right exit status."""
        with tempfile.TemporaryDirectory() as folder:
            out, bad = os.path.join(folder, "page.html"), os.path.join(folder, "tour.json")
            with open(bad, "w", encoding="ascii") as file:
                file.write('{"title": "x", "steps": [{"title": "y"}]}')
            for arguments, status, text in (
                    ((), USAGE, "no program"), ((MODELS[0],), USAGE, "no page to write"),
                    ((MODELS[0], "-o", out, "--from", "99999999"), USAGE, "the run has 6457"),
                    ((MODELS[0], "-o", out, "--from", "9", "--to", "9"), USAGE, "end before"),
                    ((MODELS[0], "-o", out, "--layer", "31"), USAGE, "none of the layers"),
                    ((MODELS[0], "-o", out, "--from", "9", "--layer", "1"), USAGE, "not both"),
                    ((MODELS[0], "-o", out, "--tour", bad), BAD_INPUT, "step 1 has no"),
                    ((bad, "-o", out), BAD_INPUT, "tour.json"),
                    ((os.path.join(folder, "none.h5"), "-o", out), BAD_INPUT, "none.h5"),
                    ((MODELS[0], "-o", os.path.join(folder, "no", "page.html")), 5, "page.html")):
                result = show(*arguments)
                self.assertEqual(result.returncode, status, (arguments, result.stderr))
                self.assertIn(text, result.stderr)
                self.assertFalse(os.path.exists(out))

    def test_texts_cannot_leave_their_place(self):
        """A tour's text with a script's end in it stays text."""
        with tempfile.TemporaryDirectory() as folder:
            out, tour = os.path.join(folder, "page.html"), os.path.join(folder, "tour.json")
            with open(tour, "w", encoding="ascii") as file:
                json.dump({"title": "</script><b>", "steps": [{"title": "a", "text": "</script>"}]}, file)
            self.assertEqual(show(MODELS[0], "-o", out, "--tour", tour).returncode, OK)
            with open(out, encoding="utf-8") as file:
                self.assertEqual(len(re.findall("</script>", file.read())), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
