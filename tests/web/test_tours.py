"""Guided tours: each step of each opens in Chromium, names what its programs have, and plays; numbers are the engine's."""
import json
import os
import re
import sys
import unittest

import browser

FOLDER, SOURCES = os.environ["AI8XSIM_TOURS"], os.path.join(os.environ["AI8XSIM_SOURCE"], "web", "tours")
TOURS = sorted(name[:-5] for name in os.listdir(SOURCES) if name.endswith(".json"))


class Tours(unittest.TestCase):
    """The tours that ship."""

    def test_tours(self):
        """Steps, texts, addresses and sums."""
        browser.needed()
        with browser.browser() as driver:
            browser.size(driver, 1280, 900)
            for name in TOURS:
                with self.subTest(tour=name):
                    self.walk(driver, name)

    def walk(self, driver, name):
        """All steps of a tour."""
        browser.open_page(driver, os.path.join(FOLDER, f"{name}.html"))
        with open(os.path.join(SOURCES, f"{name}.json"), encoding="utf-8") as file:
            steps = json.load(file)["steps"]
        self.assertTrue(5 <= len(steps) <= 10, len(steps))
        for number, step in enumerate(steps):
            found = driver.execute_async_script("""const [step, done] = arguments, {app} = ai8xsim;
              app.tour.go(step).then(() => done({cycle: app.cycle, run: app.run.index, held: app.run.eventsAt(app.cycle) !== null,
                state: ai8xsim.data.states[app.now.state], sentence: sentence.textContent, text: tour.textContent}),
                error => done({error: String(error)}));""", number)
            self.assertNotIn("error", found, (name, number))
            self.assertEqual(found["run"], step.get("run", 0))
            self.assertNotRegex(found["text"], r"\{\{|NaN|undefined|Infinity")
            self.assertNotRegex(found["sentence"], r"NaN|undefined")
            self.assertEqual(found["state"], step.get("at", {}).get("state", found["state"]))
            if "state" in step.get("at", {}):
                self.assertTrue(found["held"], (name, number, "values are not held"))
            if "play" in step:
                driver.execute_script("[...tour.querySelectorAll('button')].find(b => b.textContent.includes('Play')).click()")
                self.assertTrue(driver.execute_script("return ai8xsim.app.playing"))
                driver.execute_async_script("""const done = arguments[0], wait = () => ai8xsim.app.playing ? setTimeout(wait, 20) : done(); wait();""")
                self.assertEqual(driver.execute_script("return ai8xsim.app.cycle"), found["cycle"] + step["play"])
        self.assertEqual(self.wrong_sums(driver), [])

    def wrong_sums(self, driver):
        """Cycles in which the page's own operands do not give the engine's sums (layers of one pass), or addresses differ."""
        return driver.execute_script("""const wrong = [];
          for (const run of ai8xsim.app.runs) for (const [from, to] of run.windows) for (let cycle = from; cycle < to; cycle++) {
            const e = run.eventsAt(cycle), now = run.at(cycle);
            if (e.reads.map(r => [r.instance, r.word]).join() !== (e.reads.length ? run.readsAt(now).map(r => [r.instance, r.word]).join() : '')) wrong.push([cycle, 'read']);
            for (const sums of e.sums) {
              if (now.layer.passes > 1) continue;
              const parts = [0, 0, 0, 0], kernel = e.kernels.find(k => k.slot === sums.slot);
              const a = run.operand[kernel.window], b = run.operand[kernel.weights];
              for (let i = 0; i < a.length; i++) parts[i % 64 >> 4] += a[i] * b[i];
              if (parts.join() !== sums.group.join()) wrong.push([cycle, 'sum']);
            }
          }
          return wrong.slice(0, 5);""")

    def test_sixty_fifth_channel(self):
        """The tour of channels tells a reader what the 65th costs: a pass, in cycles of the engine."""
        browser.needed()
        with browser.browser() as driver:
            browser.open_page(driver, os.path.join(FOLDER, "channels.html"))
            cycles = driver.execute_script("return ai8xsim.app.runs.map(r => r.layers[1].cycles)")
            text = driver.execute_async_script("const done = arguments[0]; ai8xsim.app.tour.go(5).then(() => done(tour.textContent))")
            said = re.findall(r"takes ([\d,]+) cycles in place of ([\d,]+)", text)[0]
            self.assertEqual([int(number.replace(",", "")) for number in said], [cycles[2], cycles[1]])
            self.assertGreater(cycles[2], 1.9 * cycles[1])


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
