#!/usr/bin/python3
"""Programs that work have no finding at level error; defective ones have the one their index tells (TAP output)."""
import argparse
import csv
import json
import os
import re
import subprocess
import sys

# What the index says of a defective program, and the class of findings that says the same.
DEFECTS = [
    ('overwritten with zeros', {'register-overwritten'}),
    ('only FIFO 0 is fed', {'fifo-deadlock'}),
    ('share kernel words', {'kernel-conflict', 'kernel-overlap'}),
    ('not spread over the four', {'kernel-quarters'}),
]


def check(program, paths, *options):
    """Exit status and the programs of the report."""
    done = subprocess.run([program, 'check', '--jobs', '2', '--json', '-', *options, *paths],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)['programs']


def errors_of(entry):
    """Classes of the findings that are errors."""
    return {finding['class'] for finding in entry['findings'] if finding['severity'] == 'error'}


class Tap:
    """Numbers test points and remembers whether one failed."""

    def __init__(self):
        self.number = 0
        self.failed = False

    def point(self, good, name, why=''):
        """Prints one result."""
        self.number += 1
        self.failed |= not good
        print(f'{"ok" if good else "not ok"} {self.number} - {name}', flush=True)
        if not good and why:
            print('# ' + why.replace('\n', '\n# '))

    def skip(self, name, why):
        """Prints one result that could not be had."""
        self.number += 1
        print(f'ok {self.number} - {name} # SKIP {why}', flush=True)


def check_valid(tap, args, name, paths):
    """No finding at level error, and every program was looked at."""
    status, programs = check(args.ai8xsim, paths)
    bad = [f'{entry["name"]}: {", ".join(sorted(errors_of(entry)))} {entry["error"] or ""}'
           for entry in programs if errors_of(entry) or entry['error']]
    tap.point(status == 0 and not bad and programs, f'{name}: {len(programs)} programs without errors', '\n'.join(bad))


def check_defective(tap, args):
    """Each defect of the index is named, and the exit status says that something was found."""
    folder = os.path.join(args.golden, 'defective')
    with open(os.path.join(folder, 'index.tsv'), encoding='utf-8', newline='') as index:
        rows = list(csv.DictReader(index, delimiter='\t'))
    for row in rows:
        status, programs = check(args.ai8xsim, [os.path.join(folder, row['file'])])
        found = errors_of(programs[0])
        wanted = [classes for text, classes in DEFECTS if text in row['defect']]
        good = status == 1 and wanted and all(classes & found for classes in wanted)
        tap.point(good, f'{row["file"]}: {row["defect"]}', f'found {sorted(found)}')


def check_page(tap, args):
    """docs/check.md describes every class that the program has, with its level."""
    listed = subprocess.run([args.ai8xsim, 'check', '--list'], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, check=True).stdout.splitlines()[1:]
    classes = [tuple(line.split()[:2]) for line in listed]
    with open(os.path.join(args.source, 'docs', 'check.md'), encoding='utf-8') as page:
        rows = re.findall(r'^\| `([a-z-]+)` \| (error|warning|info) \|', page.read(), re.MULTILINE)
    tap.point(classes and sorted(classes) == sorted(rows), 'docs/check.md describes all classes',
              f'differ in {sorted(set(classes) ^ set(rows))}')


def main():
    """One point for each part, one for each defective program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--ai8xsim', required=True)
    parser.add_argument('--golden', required=True)
    parser.add_argument('--shipped', required=True)
    parser.add_argument('--source', required=True)
    args = parser.parse_args()
    tap = Tap()
    check_page(tap, args)
    check_valid(tap, args, 'shipped', [args.shipped])
    for part in ('max78000', 'max78002'):
        folder = os.path.join(args.golden, part)
        if os.path.isdir(folder):
            check_valid(tap, args, part, [folder])
        else:
            tap.skip(part, f'no folder {folder}')
    if os.path.isdir(os.path.join(args.golden, 'defective')):
        check_defective(tap, args)
    else:
        tap.skip('defective', 'no folder with defective programs')
    print(f'1..{tap.number}')
    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main())
