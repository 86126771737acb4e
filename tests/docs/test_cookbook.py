#!/usr/bin/python3
"""Runs every command of docs/cookbook.md in a temporary folder and compares what it prints (TAP output).

In a console block, "$ " begins a command, what follows is its output, and "[exit status N]" its exit status (else 0).
A line "..." stands for any lines, a character … for any text in its line. A block with needs=FILE is skipped where that
file of the build does not exist (test firmware needs a cross compiler).
Usage: test_cookbook.py AI8XSIM BUILD
"""
import os
import re
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUESTIONS = 18


def blocks(page):
    """(question, needed file or None, lines) of every console block."""
    question, needs, lines = 0, None, None
    for line in page.splitlines():
        heading = re.match(r'## (\d+)\. ', line)
        fence = re.match(r'```console(?: needs=(\S+))?$', line)
        if heading:
            question = int(heading[1])
        elif fence:
            needs, lines = fence[1], []
        elif line == '```' and lines is not None:
            yield question, needs, lines
            lines = None
        elif lines is not None:
            lines.append(line)


def commands(lines):
    """[command, expected lines, exit status] of a block."""
    found = []
    for line in lines:
        status = re.fullmatch(r'\[exit status (\d)\]', line)
        if line.startswith('$ '):
            found.append([line[2:], [], 0])
        elif status:
            found[-1][2] = int(status[1])
        else:
            found[-1][1].append(line)
    return found


def pattern(lines):
    """Regular expression of expected lines."""
    return ''.join('(?:.*\n)*' if line == '...' else re.escape(line).replace('…', '.*') + '\n' for line in lines)


def complaints(command, expected, status, folder, environment):
    """What is wrong with one command."""
    done = subprocess.run(['bash', '-o', 'pipefail', '-c', command], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300)
    printed = ''.join(line.rstrip() + '\n' for line in done.stdout.lstrip('\n').splitlines())
    # A reader that leaves early ends a pipe with whatever the writer says to that.
    if '|' not in command and done.returncode != status:
        yield f'{command}: exit status {done.returncode}, not {status}'
    if not re.fullmatch(pattern(expected), printed):
        yield f'{command}: prints something else:'
        yield from printed.splitlines()


def main():
    """Runs the blocks."""
    program, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with open(os.path.join(SOURCE, 'docs', 'cookbook.md'), encoding='utf-8') as file:
        found = list(blocks(file.read()))
    environment = dict(os.environ, NO_COLOR='1', LC_ALL='C.UTF-8',
                       PATH=os.path.dirname(program) + os.pathsep + os.environ['PATH'])
    answered = {question for question, needs, _ in found if needs is None}
    missing = sorted(set(range(1, QUESTIONS + 1)) ^ answered)
    failed = len(missing)
    print(f'1..{len(found) + 1}')
    print(f'{"not ok" if missing else "ok"} 1 - every question has a command that needs nothing from outside')
    for question in missing:
        print(f'# question {question}')
    for number, (question, needs, lines) in enumerate(found, 2):
        title = f'{number} - question {question}: {commands(lines)[-1][0]}'.replace('#', '')
        with tempfile.TemporaryDirectory() as folder:
            for name in ('models', 'golden', 'docs'):
                os.symlink(os.path.join(SOURCE, name), os.path.join(folder, name))
            os.symlink(build, os.path.join(folder, 'build'))
            if needs is not None and not os.path.exists(os.path.join(folder, needs)):
                print(f'ok {title} # SKIP {needs} was not built')
                continue
            wrong = [line for command, expected, status in commands(lines)
                     for line in complaints(command, expected, status, folder, environment)]
        failed += bool(wrong)
        print(f'{"not ok" if wrong else "ok"} {title}')
        for line in wrong:
            print(f'# {line}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
