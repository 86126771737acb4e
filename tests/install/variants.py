#!/usr/bin/python3
"""Builds the project in its other forms: a program without the shared library, and a subproject (TAP output).

    variants.py SOURCE PROGRAM
"""
import json
import os
import subprocess
import sys
import tempfile

HOST = '''project('client', 'c')
executable('hello', 'hello.c', dependencies: dependency('ai8xsim', fallback: ['ai8xsim', 'ai8xsim_dep']))
'''


class Failure(Exception):
    """A case that failed, with the reason."""


def call(*command, **keywords):
    """Output of a command that has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **keywords)
    if done.returncode != 0:
        raise Failure(f'{" ".join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


def setup(folder, source, *options):
    """Configures without optimisation: what is built runs once."""
    call('meson', 'setup', folder, source, '--buildtype=plain', '-Dwerror=false', *options)


def needs_library(path):
    """Whether a program needs libai8xsim.so."""
    return 'libai8xsim' in call('readelf', '-d', path)


def static_program(source, program, folder):
    """-Ddefault_library=static: a program that needs no libai8xsim.so, and an archive with its pkg-config file"""
    build = os.path.join(folder, 'static')
    setup(build, source, '-Ddefault_library=static', '-Dtests=false', '-Dpython=disabled')
    call('ninja', '-C', build, 'sim/ai8xsim', 'lib/libai8xsim.a')
    built = os.path.join(build, 'sim/ai8xsim')
    if needs_library(built):
        raise Failure('it needs libai8xsim.so')
    call(built, 'run', program)
    installed = {os.path.basename(path) for path in json.loads(call('meson', 'introspect', '--installed', build))}
    if 'libai8xsim.a' not in installed or 'libai8xsim.so' in ' '.join(installed):
        raise Failure(f'installs {sorted(installed)}')
    flags = call('pkg-config', '--libs', os.path.join(build, 'meson-private/ai8xsim.pc')).split()
    hello = os.path.join(folder, 'hello')
    call('cc', os.path.join(source, 'examples/hello.c'), '-I', os.path.join(source, 'include'),
         '-I', os.path.join(build, 'include'), '-L', os.path.join(build, 'lib'), *flags, '-o', hello)
    if needs_library(hello):
        raise Failure('a client needs libai8xsim.so')
    call(hello, program)


def subproject(source, program, folder):
    """as a subproject: the library and nothing else is configured, a client runs"""
    client, build = os.path.join(folder, 'client'), os.path.join(folder, 'client-build')
    os.makedirs(os.path.join(client, 'subprojects'))
    os.symlink(source, os.path.join(client, 'subprojects/ai8xsim'))
    os.symlink(os.path.join(source, 'examples/hello.c'), os.path.join(client, 'hello.c'))
    with open(os.path.join(client, 'meson.build'), 'w', encoding='utf-8') as file:
        file.write(HOST)
    # Without paths in which an installed copy could be found.
    setup(build, client, '--wrap-mode=forcefallback', '-Dai8xsim:default_library=static')
    targets = {target['name'] for target in json.loads(call('meson', 'introspect', '--targets', build))}
    foreign = {name for name in targets if name.startswith(('test_', 'example_', 'bench', 'tour-', 'help as', 'python'))}
    if foreign or 'ai8xsim-mpi' in targets or 'evaluate' in targets:
        raise Failure(f'configured without need: {sorted(targets)}')
    call('ninja', '-C', build, 'hello')
    text = call(os.path.join(build, 'hello'), program)
    if ', 0 of ' not in text:
        raise Failure(f'printed: {text}')


def main():
    """Runs the cases."""
    source, program = map(os.path.abspath, sys.argv[1:])
    cases = [static_program, subproject]
    print(f'1..{len(cases)}', flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(cases, 1):
            try:
                case(source, program, folder)
                print(f'ok {number} - {case.__doc__}', flush=True)
            except Failure as failure:
                failed += 1
                print(f'not ok {number} - {case.__doc__}')
                for line in str(failure).splitlines():
                    print(f'# {line}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
