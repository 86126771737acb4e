#!/usr/bin/python3
"""Holds the source to its rooms (TAP output).

Every room includes and calls only rooms below it, and no two files call each other, directly or in a circle. Calls are
read from the text: a name that one file alone defines, written as a call in another file. See docs/architecture.md.
"""
import os
import re
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# From the ground up. Rooms in one row stand beside each other and do not know each other.
FLOORS = [
    ['base', 'part'],
    ['memory'],
    ['bus'],
    ['layer'],
    ['time'],
    ['exact', 'fast'],
    ['machine'],
    ['program'],
    ['schedule'],
    ['runner', 'network'],
    ['check', 'mpi'],
    ['firmware', 'host'],
    ['view'],
    ['sweep'],
    # Outside of lib/: the program, the referee, and what uses them as users do.
    ['golden'],
    ['sim', 'bench', 'examples', 'tests'],
]

# Of the library's inside, its clients know what it keeps for itself and shares with them; tests may look at anything.
SHARED = {'base/array.h', 'base/file.h', 'base/json.h', 'base/memory_file.h', 'base/text.h', 'mpi/cluster_mpi.h'}


def text(path):
    """A file of the project without comments, texts and preprocessor lines."""
    with open(os.path.join(SOURCE, path), encoding='utf-8') as file:
        whole = file.read()
    whole = re.sub(r'//[^\n]*|/\*.*?\*/', ' ', whole, flags=re.DOTALL)
    whole = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', whole)
    return re.sub(r'(?m)^[ \t]*#(?:.*\\\n)*.*$', '', whole)


def includes(path):
    """Headers of the project's own inside that a file includes."""
    with open(os.path.join(SOURCE, path), encoding='utf-8') as file:
        return re.findall(r'(?m)^#include "([^"]+)"', file.read())


def sources():
    """Every C file of the project."""
    for top in ('lib', 'golden', 'sim', 'bench', 'examples', 'tests'):
        for folder, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in sorted(names):
                if name.endswith(('.c', '.h')):
                    yield os.path.relpath(os.path.join(folder, name), SOURCE)


def definitions(path):
    """Functions that a C file defines for others, and those that it keeps for itself."""
    shared, own = set(), set()
    for match in re.finditer(r'(?m)^((?:[A-Za-z_][\w \t*]*[ \t*])?)(\w+)\([^;{}]*\)\s*\n\{', text(path)):
        if match[2] in ('if', 'while', 'for', 'switch', '__attribute__'):
            continue
        (own if re.search(r'\bstatic\b', match[1]) else shared).add(match[2])
    return shared, own


def calls(files):
    """{file: {file: names}}: who calls what of whom."""
    shared, own = {}, {}
    for path in files:
        if path.endswith('.c'):
            shared[path], own[path] = definitions(path)
    owners = {}
    for path, names in shared.items():
        for name in names:
            owners.setdefault(name, set()).add(path)
    found = {}
    for path in files:
        if not path.endswith('.c'):
            continue
        for name in set(re.findall(r'\b(\w+)\s*\(', text(path))):
            owner = owners.get(name, set())
            if len(owner) == 1 and path not in owner and name not in own[path]:
                found.setdefault(path, {}).setdefault(next(iter(owner)), set()).add(name)
    return found


def room(path):
    """Name of the room that a file lies in."""
    parts = path.split('/')
    return parts[1] if parts[0] == 'lib' and len(parts) > 2 else parts[0]


def floor_of(name):
    """How high a room lies; what is not in the plan lies on top."""
    for number, rooms in enumerate(FLOORS):
        if name in rooms:
            return number
    return len(FLOORS)


def circles(graph):
    """Strongly connected groups of more than one file (Tarjan)."""
    index, low, stack, on, groups = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on.add(node)
        for other in graph.get(node, {}):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while True:
                other = stack.pop()
                on.discard(other)
                group.append(other)
                if other == node:
                    break
            if len(group) > 1:
                groups.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return groups


def case_rooms(files, _):
    """every folder of lib/ is a room of the plan"""
    for name in sorted({room(path) for path in files if path.startswith('lib/')}):
        if floor_of(name) == len(FLOORS):
            yield f'lib/{name} is not in the plan'


def upward(source, target):
    """Whether a file of room source may not know one of room target."""
    return source != target and floor_of(source) <= floor_of(target)


def case_includes(files, _):
    """every room includes headers of rooms below it only"""
    for path in files:
        for header in includes(path):
            if header.count('/') != 1 or not os.path.exists(os.path.join(SOURCE, 'lib', header)):
                continue
            if upward(room(path), header.split('/')[0]):
                yield f'{path} includes {header}'


def case_clients(files, _):
    """the program, the referee, benchmarks and examples know public headers, and of the inside what is shared"""
    for path in files:
        if room(path) in ('golden', 'sim', 'bench', 'examples'):
            for header in includes(path):
                if header not in SHARED and os.path.exists(os.path.join(SOURCE, 'lib', header)):
                    yield f'{path} includes {header}'


def case_calls(_, graph):
    """every room calls rooms below it only"""
    for path, others in sorted(graph.items()):
        for other, names in sorted(others.items()):
            if upward(room(path), room(other)):
                yield f'{path} calls {", ".join(sorted(names))} of {other}'


def case_circles(_, graph):
    """no two files call each other, nor any in a circle"""
    for group in circles(graph):
        yield ', '.join(group)
        for path in group:
            for other in group:
                names = graph.get(path, {}).get(other)
                if names:
                    yield f'    {path} -> {other}: {", ".join(sorted(names))}'


def case_names(files, _):
    """no two C files of lib/ have one name, nor does a function have two files"""
    seen, owners = {}, {}
    for path in files:
        name = os.path.basename(path)
        if path.startswith('lib/') and path.endswith('.c'):
            if name in seen and name != 'absent.c':
                yield f'{path} and {seen[name]}'
            seen[name] = path
            for function in definitions(path)[0]:
                if function in owners and 'absent.c' not in path + owners[function]:
                    yield f'{function}() in {path} and {owners[function]}'
                owners[function] = path


def main():
    """Runs the cases."""
    files = list(sources())
    graph = calls(files)
    cases = [case_rooms, case_includes, case_clients, case_calls, case_circles, case_names]
    failed = 0
    print(f'1..{len(cases)}')
    for number, case in enumerate(cases, 1):
        wrong = list(case(files, graph))
        failed += bool(wrong)
        print(f'{"not ok" if wrong else "ok"} {number} - {case.__doc__}')
        for line in wrong:
            print(f'# {line}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
