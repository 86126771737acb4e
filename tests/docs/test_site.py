#!/usr/bin/python3
"""Builds the documentation site and follows every link in it, to pages, files and headings (TAP output)."""
import html.parser
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Page(html.parser.HTMLParser):
    """Links and anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], {''}
        with open(path, encoding='utf-8') as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors.add(attributes.get('id') or attributes.get('name') or '')
        for key in ('href', 'src'):
            # Values without text are allowed in HTML.
            if attributes.get(key) and tag != 'link':
                self.links.append(attributes[key])


def broken(folder):
    """Links that lead nowhere: (page, link)."""
    pages = {}
    for base, _, names in os.walk(folder):
        pages.update({os.path.join(base, name): Page(os.path.join(base, name)) for name in names if name.endswith('.html')})
    for path, page in pages.items():
        if os.path.basename(path) == '404.html':
            continue
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(path), urllib.parse.unquote(parts.path))) \
                if parts.path else path
            if os.path.isdir(target):
                target = os.path.join(target, 'index.html')
            if not os.path.exists(target):
                yield os.path.relpath(path, folder), link
            elif target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].anchors:
                yield os.path.relpath(path, folder), link


def search(folder):
    """What the search box answers on a page that a browser opens without a server; None where there is no browser."""
    sys.path.insert(0, os.path.join(SOURCE, 'tests/web'))
    import browser  # pylint: disable=import-outside-toplevel
    if browser.webdriver is None or browser.DRIVER is None or browser.CHROMIUM is None or \
            not os.path.exists(os.path.join(folder, 'search/offline.js')):
        return None
    with browser.browser() as driver:
        driver.get(f'file://{folder}/docs/python.html')
        driver.find_element('css selector', '.md-search__input').send_keys('Deployed')
        for _ in range(600):
            answer = driver.execute_script('return document.querySelector(".md-search-result__list").innerText')
            if 'Deployed' in answer:
                return answer
            time.sleep(.1)
    return ''


def main():
    """Builds into a temporary folder."""
    if not shutil.which('mkdocs'):
        print('1..0 # SKIP mkdocs is not there')
        return 0
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([os.path.join(SOURCE, 'tools/site'), folder], capture_output=True, text=True, check=False)
        print('1..4')
        print(f'{"ok" if done.returncode == 0 else "not ok"} 1 - the site is built without a warning')
        for line in done.stderr.splitlines():
            print(f'# {line}')
        wrong = list(broken(folder))
        print(f'{"not ok" if wrong else "ok"} 2 - every link leads somewhere')
        for page, link in wrong:
            print(f'# {page}: {link}')
        texts = []
        for name in ('machine', 'python'):
            path = os.path.join(folder, 'api', name + '.html')
            with open(path, encoding='utf-8') if os.path.exists(path) else open(os.devnull, encoding='utf-8') as file:
                texts.append(file.read())
        named = 'ai8x_machine_create' in texts[0] and 'Program.eval' in texts[1] and 'Deployed' in texts[1] and \
            'new_machine' not in texts[1]
        print(f'{"ok" if named else "not ok"} 3 - the API of C and of Python is there, and nothing from inside')
        found = search(folder)
        print(f'{"not ok" if found == "" else "ok"} 4 - the search box finds words in pages of a folder'
              f'{" # SKIP there is no browser, or another theme" if found is None else ""}')
    return 1 if wrong or done.returncode or not named or found == '' else 0


if __name__ == '__main__':
    sys.exit(main())
