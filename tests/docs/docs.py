#!/usr/bin/python3
"""Holds the documentation to what it describes (TAP output).

Status values and exit statuses are compared with their source, every relative link and every file that is
named in code marks has to exist, and every package that is installed has its reason in the README.
"""
import json
import os
import re
import shutil
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def text(*path):
    """A file of the project."""
    with open(os.path.join(SOURCE, *path), encoding='utf-8') as file:
        return file.read()


def pages():
    """Every Markdown page: README.md and docs/, models/, examples/, bench/ (path relative to the root)."""
    yield 'README.md'
    for top in ('docs', 'models', 'golden', 'examples', 'bench', 'tests'):
        for folder, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in sorted(names):
                if name.endswith('.md'):
                    yield os.path.relpath(os.path.join(folder, name), SOURCE)


def table(page, columns):
    """Rows of all tables of a page that have so many columns, without code marks."""
    for line in page.splitlines():
        if line.startswith('|') and not re.match(r'^\|[\s:|-]+\|$', line):
            cells = [cell.strip().strip('`') for cell in line.strip().strip('|').split('|')]
            if len(cells) == columns:
                yield cells


def case_status_values():
    """docs/errors.md lists every status value with number, name and library text"""
    header = text('include/ai8xsim/status.h')
    declared = [(number, name) for name, number in re.findall(r'^\t(AI8X_\w+) = (\d+),', header, re.MULTILINE)]
    texts = dict(re.findall(r'\{"(AI8X_\w+)", "([^"]*)"\}', text('lib/base/status.c')))
    wanted = [(number, name, texts.get(name, '?')) for number, name in declared]
    listed = [tuple(row[:3]) for row in table(text('docs/errors.md'), 4) if row[0].isdigit()]
    if not wanted or listed != wanted:
        yield f'only in the source: {sorted(set(wanted) - set(listed))}'
        yield f'only on the page: {sorted(set(listed) - set(wanted))}'


def case_exit_statuses():
    """README.md and docs/errors.md list the exit statuses of ai8xsim"""
    declared = sorted(number for number in re.findall(r'^\tCLI_\w+ = (\d+)', text('sim/cli.h'), re.MULTILINE))
    for name, columns in (('README.md', 2), ('docs/errors.md', 3)):
        listed = [row[0] for row in table(text(name), columns) if row[0].isdigit()]
        if not declared or listed != declared:
            yield f'{name} lists {listed}, sim/cli.h has {declared}'


def case_links():
    """relative links lead somewhere"""
    found = 0
    for page in pages():
        for target in re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', text(page)):
            if re.match(r'[a-z]+:', target):
                continue
            found += 1
            if not os.path.exists(os.path.join(SOURCE, os.path.dirname(page), target)):
                yield f'{page}: {target} is not there'
    if not found:
        yield 'no page has a link'


def case_named_files():
    """source files, scripts and pages that are named in code marks exist"""
    for page in pages():
        for name in re.findall(r'`((?:\./)?(?:tools|docs|examples|include|lib|sim|golden|tests|bench|models)/'
                               r'[\w./-]*\w)`', text(page)):
            if not os.path.exists(os.path.join(SOURCE, name)):
                yield f'{page}: {name} is not there'


def case_index():
    """docs/README.md names every page of docs/"""
    index = text('docs/README.md')
    for name in sorted(os.listdir(os.path.join(SOURCE, 'docs'))):
        if name.endswith('.md') and name != 'README.md' and f']({name})' not in index:
            yield f'docs/{name} is missing'


def case_packages():
    """README.md says of every package why it is there"""
    packages = [line.split()[0] for line in text('tools/packages.txt').splitlines()
                if line and not line.startswith('#')]
    readme = text('README.md')
    for package in packages:
        if f'`{package}`' not in readme:
            yield f'{package} is not mentioned'


def case_dependencies():
    """every library of this build comes from a package in tools/packages.txt"""
    if len(sys.argv) < 2 or not shutil.which('dpkg-query') or not shutil.which('pkg-config'):
        return
    listed = {line.split()[0] for line in text('tools/packages.txt').splitlines()
              if line and not line.startswith('#')}
    with open(os.path.join(sys.argv[1], 'meson-info/intro-dependencies.json'), encoding='utf-8') as file:
        names = [dependency['name'] for dependency in json.load(file)]
    for name in names:
        done = subprocess.run(['pkg-config', '--variable=pcfiledir', name], capture_output=True, text=True,
                              check=False)
        path = os.path.join(done.stdout.strip(), f'{name}.pc')
        if done.returncode != 0 or not os.path.exists(path):
            continue
        owner = subprocess.run(['dpkg-query', '-S', path], capture_output=True, text=True, check=False)
        packages = {line.split(':')[0] for line in owner.stdout.splitlines()}
        if packages and not packages & listed:
            yield f'{name} comes from {sorted(packages)}'


def case_example():
    """docs/library.md shows examples/hello.c as it is"""
    if text('examples/hello.c') not in text('docs/library.md'):
        yield 'the listing differs from the file'


def sources():
    """Every source file (path relative to the root)."""
    for top in ('include', 'lib', 'sim', 'golden', 'tests', 'bench', 'examples', 'models', 'tools', 'python', 'web'):
        for folder, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in sorted(names):
                if name.endswith(('.c', '.h', '.in', '.py')) or name == 'meson.build':
                    yield os.path.relpath(os.path.join(folder, name), SOURCE)


def comments(path):
    """The words of a source file's comments, and of a page all of them; the marks that open lines are left out."""
    whole = text(path)
    if path.endswith('.md'):
        return whole
    if path.endswith(('.c', '.h', '.in')):
        found = re.findall(r'//[^\n]*|/\*.*?\*/', whole, re.DOTALL)
    else:
        found = re.findall(r'#[^\n]*|""".*?"""', whole, re.DOTALL)
    return ' '.join(re.sub(r'(?m)^\s*(//|/?\*+/?|#)', ' ', comment) for comment in found)


def case_citations():
    """every section of a reference that a comment or a page cites exists"""
    sections = {}
    for kind in ('hardware', 'firmware'):
        sections[kind] = set(re.findall(r'(?m)^#+ (\d+(?:\.\d+)?)[. ]', text('docs/reference', f'{kind}.md')))
    cited = 0
    for path in [*sources(), *pages()]:
        words = re.sub(r'\s+', ' ', comments(path))
        for kind, numbers in re.findall(r'(?i)\b(hardware|firmware) reference,? (?:sections? )?'
                                        r'(\d(?:[\d.]*\d)?(?: \([^)]*\))?'
                                        r'(?:(?:, | to | and )\d(?:[\d.]*\d)?(?: \([^)]*\))?)*)', words):
            for number in re.findall(r'(?<![\w.])\d+(?:\.\d+)?', re.sub(r'\([^)]*\)', '', numbers)):
                cited += 1
                if number not in sections[kind.lower()]:
                    yield f'{path}: {kind} reference {number} is not there'
    if cited < 50:
        yield f'only {cited} citations were found'


def case_files_in_comments():
    """source files that comments name exist"""
    known = list(sources())
    named = 0
    for path in known:
        for name in re.findall(r'(?<![\w./-])((?:[\w-]+/)+[\w-]+\.(?:c|h|py|md))\b', comments(path)):
            if re.match(r'(ai8xsim|libdnnl|sys|linux|izer|tests?/data)/', name):
                continue
            named += 1
            if not os.path.exists(os.path.join(SOURCE, name)) \
                    and not any(other.endswith('/' + name) for other in known):
                yield f'{path}: {name} is not there'
    if not named:
        yield 'no comment names a file'


def case_ways():
    """docs/architecture.md: every function named beside a file is in that file"""
    count = 0
    for row in table(text('docs/architecture.md'), 3):
        if re.match(r'(lib|sim)/\S+\.c$', row[1]):
            for name in re.findall(r'\w+', row[2]):
                count += 1
                if not re.search(r'(?m)^\w.*\b' + name + r'\(', text(row[1])):
                    yield f'{row[1]} does not define {name}()'
    if count < 20:
        yield f'only {count} functions are named'


def case_functions():
    """every public function has a comment before it"""
    folder = os.path.join(SOURCE, 'include/ai8xsim')
    count = 0
    for name in sorted(name for name in os.listdir(folder) if name.endswith('.h')):
        lines = text('include/ai8xsim', name).splitlines()
        for above, line in zip(lines, lines[1:]):
            function = re.match(r'AI8X_API(?:_EXPERIMENTAL)? .*?(ai8x_\w+)\(', line)
            if function:
                count += 1
                if not above.endswith('*/'):
                    yield f'{name}: {function[1]}'
    if not count:
        yield 'found no function'


def main():
    """Runs the cases."""
    cases = [case_functions, case_status_values, case_exit_statuses, case_links, case_named_files, case_index, case_packages,
             case_dependencies, case_example, case_citations, case_files_in_comments, case_ways]
    failed = 0
    print(f'1..{len(cases)}')
    for number, case in enumerate(cases, 1):
        wrong = list(case())
        failed += bool(wrong)
        print(f'{"not ok" if wrong else "ok"} {number} - {case.__doc__}')
        for line in wrong:
            print(f'# {line}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
