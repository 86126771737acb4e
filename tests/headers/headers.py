#!/usr/bin/python3
"""Compiles every public header alone, in C and in C++, with all warnings as errors (TAP output).

Each header is included twice, which also shows a missing include guard.
"""
import argparse
import os
import subprocess
import sys

WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror', '-fsyntax-only']
# The oldest standards that users of the headers may build with.
LANGUAGES = [('c', '-std=c11'), ('c++', '-std=c++11')]


def main():
    """One case per header and language."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--c', required=True, help='C compiler')
    parser.add_argument('--cxx', default='', help='C++ compiler')
    parser.add_argument('--include', action='append', default=[], help='folder with ai8xsim/')
    args = parser.parse_args()

    compilers = {'c': args.c, 'c++': args.cxx}
    headers = sorted({name for folder in args.include for name in os.listdir(os.path.join(folder, 'ai8xsim'))
                      if name.endswith('.h')})
    print(f'1..{len(headers) * len(LANGUAGES)}')
    failed = number = 0
    for language, standard in LANGUAGES:
        for header in headers:
            number += 1
            case = f'{header} as {language} ({standard[5:]})'
            if not compilers[language]:
                print(f'ok {number} - {case} # SKIP no compiler')
                continue
            text = f'#include <ai8xsim/{header}>\n' * 2 + 'int nothing(void);\nint nothing(void) { return 0; }\n'
            command = [compilers[language], '-x', language, standard, *WARNINGS,
                       *('-I' + folder for folder in args.include), '-']
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
            print(f'{"not ok" if done.returncode else "ok"} {number} - {case}')
            for line in done.stderr.splitlines():
                print(f'# {line}')
            failed += done.returncode != 0
    return 1 if failed or not headers else 0


if __name__ == '__main__':
    sys.exit(main())
