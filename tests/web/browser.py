"""A page of `ai8xsim show` in headless Chromium, for tests."""
import base64
import contextlib
import shutil
import time
import unittest

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver = None

DRIVER, CHROMIUM = shutil.which("chromedriver"), shutil.which("chromium")


def needed():
    """Skips a test where there is no browser to steer."""
    if webdriver is None or DRIVER is None or CHROMIUM is None:
        raise unittest.SkipTest("chromium, chromium-driver and python3-selenium are needed")


@contextlib.contextmanager
def browser():
    """A browser that ends with the test."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    driver.set_script_timeout(120)
    try:
        yield driver
    finally:
        driver.quit()


def size(driver, width, height, dark=False, medium="screen"):
    """The size of the page, whether its reader prefers dark pages, and whether it is for a screen or for paper ("print")."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                           {"media": medium, "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})


def open_page(driver, path, seconds=60):
    """Opens a file and waits until the page has drawn itself; returns what the console said."""
    driver.get_log("browser")
    driver.get(f"file://{path}")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ready = driver.execute_script("return document.documentElement.dataset.ready")
        if ready:
            break
        time.sleep(0.05)
    else:
        raise AssertionError(f"{path} does not get ready")
    said = [entry["message"] for entry in driver.get_log("browser")]
    if ready != "yes" or said:
        raise AssertionError(f"{path}: {driver.execute_script('return lead.textContent')} {said}")


def picture(driver, path, height=4000):
    """A picture of the whole page, for people."""
    tall, wide = driver.execute_script("return [document.documentElement.scrollHeight, innerWidth]")
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {
        "captureBeyondViewport": True,
        "clip": {"x": 0, "y": 0, "width": wide, "height": min(tall, height), "scale": 1}})
    with open(path, "wb") as file:
        file.write(base64.b64decode(shot["data"]))
