"""Every kind of page fits a phone, a screen and paper: nothing is cut off, by day and by night."""
import os
import shutil
import subprocess
import tempfile
import unittest

import browser

AI8XSIM = os.environ["AI8XSIM"]
SOURCE = os.environ["AI8XSIM_SOURCE"]
DIGITS, MOBILE, WIDE = (os.path.join(SOURCE, "models", name, name) for name in ("digits", "mobile", "wide"))
PHONE, SCREEN, PAPER = 390, 1280, 688  # paper: A4 without its margins
LONG = "a-network-with-a-name-that-takes-all-the-room-that-there-is-on-a-phone"

SWEEP = """network: {network}
parameters:
  part: [MAX78000, MAX78002]
  a-name-that-is-long-enough-for-two: {{set: [stem.quantization, block1a.quantization], values: [8, 4, 2, 1]}}
  image: {{set: [stem.in_dim], values: [[8, 8], [16, 16], [512, 512]]}}
pareto: [less kernel_words, more cycles]
"""

# The page's width and that of what it shows; elements that stand out of the page, or hide part of what is in them.
CUT_OFF = """
const page = document.documentElement, wide = page.clientWidth, out = [];
for (const node of document.querySelectorAll('body *')) {
  const box = node.getBoundingClientRect(), style = getComputedStyle(node);
  if (box.width === 0 || style.position === 'absolute' || node.textContent.trim() === '' || node.closest('.sr'))
    continue;
  const hides = style.overflowX !== 'visible' && node.scrollWidth > node.clientWidth + 1 && style.textOverflow !== 'ellipsis';
  if (box.left < -1 || box.right > wide + 1 || hides)
    out.push(`${node.tagName}.${node.getAttribute('class')} ${Math.round(box.left)}..${Math.round(box.right)}: ` +
             node.textContent.slice(0, 60));
}
return [page.scrollWidth, wide, out.slice(0, 10)];
"""


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        browser.needed()

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, *arguments):
        result = subprocess.run([AI8XSIM, *arguments, self.path(name)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, check=False, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.path(name)

    def pages(self):
        """Every kind of page, with long names and with many layers."""
        network = self.path(LONG + ".yaml")
        with open(MOBILE + ".yaml", encoding="utf-8") as source, open(network, "w", encoding="utf-8") as file:
            file.write(f"arch: {LONG}\n")
            file.writelines(line for line in source if not line.startswith(("arch:", "weights:")))
        yield self.make("profile.html", "profile", DIGITS + ".h5", "--html")
        yield self.make("advice.html", "profile", network, "--part", "MAX78002", "--html")
        yield self.make("baseline.html", "profile", network, "--part", "MAX78002", "--baseline", WIDE + ".yaml", "--html")
        with open(self.path("sweep.yaml"), "w", encoding="utf-8") as file:
            file.write(SWEEP.format(network=DIGITS + ".yaml"))
        yield self.make("sweep.html", "sweep", self.path("sweep.yaml"), "--html")
        picture = self.make("map.svg", "map", MOBILE + ".h5", "--svg")
        with open(picture, encoding="utf-8") as file, open(self.path("map.html"), "w", encoding="utf-8") as page:
            page.write('<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width,'
                       f'initial-scale=1"><body style="margin:0">{file.read()}')
        yield self.path("map.html")
        yield self.make("show.html", "show", DIGITS + ".h5", MOBILE + ".h5", "-o")

    def test_nothing_is_cut_off(self):
        """At the width of a phone and of a screen, light and dark, and on paper."""
        with browser.browser() as driver:
            for page in self.pages():
                for width, dark, medium in ((PHONE, False, "screen"), (PHONE, True, "screen"), (SCREEN, False, "screen"),
                                            (SCREEN, True, "screen"), (PAPER, False, "print")):
                    with self.subTest(page=os.path.basename(page), width=width, dark=dark, medium=medium):
                        browser.size(driver, width, 900, dark, medium)
                        driver.get(f"file://{page}")
                        if page.endswith("show.html"):
                            browser.open_page(driver, page)
                        needs, has, out = driver.execute_script(CUT_OFF)
                        self.assertEqual(out, [])
                        self.assertLessEqual(needs, has)

    def test_paper_is_white(self):
        """Also where the reader prefers dark pages."""
        with browser.browser() as driver:
            for page in self.pages():
                with self.subTest(page=os.path.basename(page)):
                    browser.size(driver, PAPER, 900, True, "print")
                    driver.get(f"file://{page}")
                    if page.endswith("show.html"):
                        browser.open_page(driver, page)
                        driver.execute_script("dispatchEvent(new Event('beforeprint'))")
                    paper, ink = driver.execute_script(
                        "const body = getComputedStyle(document.body); return [body.backgroundColor, body.color]")
                    light = lambda colour: sum(int(part) for part in colour[colour.index("(") + 1:-1].split(",")[:3])
                    self.assertTrue(paper == "rgba(0, 0, 0, 0)" or light(paper) > 700, paper)
                    self.assertLess(light(ink), 200, ink)


if __name__ == "__main__":
    unittest.main()
