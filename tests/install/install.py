#!/usr/bin/python3
"""Installs the library into an empty folder and uses it as a stranger would (TAP output).

Checks what lies there, that pkg-config describes it, that the shared library exports the public functions
and nothing else, and that examples/hello.c, built against the installed copy only, runs the shipped program.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile


# Headers of further libraries, which ai8xsim.h leaves to those who link them.
APART = {'host.h'}


class Failure(Exception):
    """A case that failed, with the reason."""


def call(command, **keywords):
    """Output of a command that has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **keywords)
    if done.returncode != 0:
        raise Failure(f'{" ".join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


class Installed:
    """The installed copy, and one method per case."""

    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.root = os.path.join(folder, 'root')
        self.prefix = self.root + args.prefix
        self.hello = os.path.join(folder, 'hello')

    def environment(self):
        """Environment in which pkg-config and the loader see the installed copy."""
        libraries = os.path.dirname(self.shared()[0])
        return dict(os.environ, PKG_CONFIG_PATH=os.path.join(libraries, 'pkgconfig'),
                    PKG_CONFIG_SYSROOT_DIR=self.root, LD_LIBRARY_PATH=libraries)

    def shared(self):
        """Paths of the shared library: plain name, soname, full version."""
        found = sorted(glob.glob(f'{self.prefix}/lib*/**/libai8xsim.so*', recursive=True), key=len)
        if not found:
            raise Failure(f'no libai8xsim.so below {self.prefix}')
        return found

    @staticmethod
    def defined(path, *flags):
        """Names that a library defines for those who link it."""
        lines = [line.split() for line in call(['nm', '-g', '--defined-only', *flags, path]).splitlines()]
        # Absolute names are those of the symbol versions themselves.
        return {words[-1].split('@')[0] for words in lines if len(words) == 3 and words[1] != 'A'}

    def case_hardened(self):
        """program and library are hardened: RELRO, immediate binding, PIE, stack protector, fortified calls"""
        for path in (os.path.join(self.prefix, 'bin/ai8xsim'), self.shared()[-1]):
            segments, dynamic = call(['readelf', '-Wl', path]), call(['readelf', '-Wd', path])
            symbols = call(['readelf', '-W', '--dyn-syms', path])
            stack = re.search(r'GNU_STACK.*?(RWE|RW )', segments)
            wanted = {
                'RELRO': 'GNU_RELRO' in segments,
                'immediate binding': re.search(r'FLAGS.*\bNOW\b', dynamic) is not None,
                'a stack that holds no code': stack is not None and stack[1] == 'RW ',
                'position independence': 'Elf file type is DYN' in segments,
                'the stack protector': '__stack_chk_fail' in symbols,
                # Sanitizers put their own calls in the place of these.
                'fortified calls': '__snprintf_chk' in symbols or '__asan' in symbols,
                'no text relocations': 'TEXTREL' not in dynamic,
            }
            missing = [name for name, there in wanted.items() if not there]
            if missing:
                raise Failure(f'{os.path.basename(path)} lacks {", ".join(missing)}')

    def case_files(self):
        """meson install puts headers, libraries, pkg-config file and program in place"""
        call(['meson', 'install', '-C', self.args.build, '--no-rebuild', '--destdir', self.root],
             stdin=subprocess.DEVNULL)
        names = [os.path.basename(path) for path in self.shared()]
        version = self.args.version
        wanted = ['libai8xsim.so', f'libai8xsim.so.{version.split(".")[0]}', f'libai8xsim.so.{version}']
        if names != wanted:
            raise Failure(f'shared library files are {names}, expected {wanted}')
        if not os.path.exists(os.path.join(os.path.dirname(self.shared()[0]), 'libai8xsim.a')):
            raise Failure('the static library is not there')
        for path in ('bin/ai8xsim', 'bin/ai8xsim-ci', 'bin/ai8xsim-export', 'bin/ai8xsim-import', 'bin/ai8xsim-weights',
                     'share/ai8xsim/importer/graph.py', 'include/ai8xsim/ai8xsim.h', 'include/ai8xsim/version.h'):
            if not os.path.exists(os.path.join(self.prefix, path)):
                raise Failure(f'{path} is not there')
        folder = os.path.join(self.prefix, 'include/ai8xsim')
        installed = {name for name in os.listdir(folder) if name.endswith('.h')} - APART
        with open(os.path.join(folder, 'ai8xsim.h'), encoding='utf-8') as file:
            included = set(re.findall(r'#include [<"](?:ai8xsim/)?(\w+\.h)', file.read())) | {'ai8xsim.h'}
        if included != installed:
            raise Failure(f'ai8xsim.h lacks {sorted(installed - included)}, '
                          f'not installed are {sorted(included - installed)}')

    def case_pkgconfig(self):
        """pkg-config knows the version of every library that is installed"""
        names = ['ai8xsim']
        if os.path.exists(os.path.join(self.prefix, 'include/ai8xsim/host.h')):
            names.append('ai8xsim-host')
        for name in names:
            version = call(['pkg-config', '--modversion', name], env=self.environment()).strip()
            if version != self.args.version:
                raise Failure(f'{name}: {version}, expected {self.args.version}')

    def case_exports(self):
        """the shared library exports what the headers declare, and nothing else"""
        declared = set()
        for path in glob.glob(f'{self.prefix}/include/ai8xsim/*.h'):
            with open(path, encoding='utf-8') as file:
                declared |= set(re.findall(r'AI8X_API[^;{]*?\b(ai8x_\w+)\s*\(', file.read()))
        exported = self.defined(self.shared()[0], '-D')
        if not declared or exported != declared:
            raise Failure(f'only declared: {sorted(declared - exported)}\n'
                          f'only exported: {sorted(exported - declared)}')

    def case_versions(self):
        """every exported name carries the version of the tier that its header puts it in"""
        tiers = {'AI8X_API': 'AI8XSIM_0', 'AI8X_API_EXPERIMENTAL': 'AI8XSIM_EXPERIMENTAL_0'}
        wanted = {}
        for path in glob.glob(f'{self.prefix}/include/ai8xsim/*.h'):
            with open(path, encoding='utf-8') as file:
                for mark, name in re.findall(r'(?m)^(AI8X_API(?:_EXPERIMENTAL)?) [^;{]*?\b(ai8x_\w+)\s*\(', file.read()):
                    wanted[name] = tiers[mark]
        lines = call(['objdump', '-T', self.shared()[0]]).splitlines()
        found = {words[-1]: words[-2].strip('()') for words in map(str.split, lines)
                 if len(words) > 5 and words[-1].startswith('ai8x_')}
        if not wanted or found != wanted:
            raise Failure(f'differ: {sorted(set(found.items()) ^ set(wanted.items()))}')

    def case_archives(self):
        """the static library defines the same names for others, and no library a name that is not its own"""
        shared = self.shared()[0]
        archives = sorted(glob.glob(f'{self.prefix}/lib*/**/*.a', recursive=True))
        defined = {path: self.defined(path) for path in archives}
        exported = self.defined(shared, '-D')
        static = defined[os.path.join(os.path.dirname(shared), 'libai8xsim.a')]
        if static != exported:
            raise Failure(f'only static: {sorted(static - exported)}\nonly shared: {sorted(exported - static)}')
        # Names that begin with two underscores are the compiler's; the last one is what generated code calls it.
        foreign = sorted(f'{os.path.basename(path)}: {name}' for path, names in defined.items() for name in names
                         if not name.startswith(('ai8x_', '__')) and name != 'SystemCoreClock')
        if foreign:
            raise Failure('\n'.join(foreign))

    def case_hello(self):
        """examples/hello.c builds with pkg-config's flags"""
        flags = call(['pkg-config', '--cflags', '--libs', 'ai8xsim'], env=self.environment()).split()
        call([self.args.cc, '-std=c11', '-Wall', '-Wextra', '-Werror', *self.args.flag,
              os.path.join(self.args.source, 'examples/hello.c'), '-o', self.hello, *flags])

    def case_hello_runs(self):
        """and runs the shipped program"""
        text = call([self.hello, self.args.program], env=self.environment())
        if not re.search(r'MAX78000: \d+ layers, \d+ cycles, 0 of [1-9]\d* checks failed', text):
            raise Failure(f'printed: {text}')

    def case_hello_reports(self):
        """and tells what is wrong with a file that is not there"""
        done = subprocess.run([self.hello, 'absent.h5'], env=self.environment(), capture_output=True,
                              text=True, check=False)
        if done.returncode != 1 or 'absent.h5' not in done.stderr:
            raise Failure(f'exit status {done.returncode}, printed: {done.stderr}')

    def case_static(self):
        """a program with a function of a name of the inside links the static library, and runs"""
        flags = call(['pkg-config', '--cflags', 'ai8xsim'], env=self.environment()).split()
        flags.append(os.path.join(os.path.dirname(self.shared()[0]), 'libai8xsim.a'))
        # What it needs lies in the system, not below the folder.
        needed = call(['pkg-config', '--print-requires-private', 'ai8xsim'], env=self.environment()).split()
        flags += call(['pkg-config', '--libs', *needed]).split() + ['-pthread', '-lm']
        clash = os.path.join(self.folder, 'clash.c')
        with open(clash, 'w', encoding='utf-8') as file:
            file.write('int file_write(void);\nint file_write(void)\n{\n\treturn 0;\n}\n')
        call([self.args.cc, '-std=c11', '-Wall', '-Wextra', '-Werror', *self.args.flag, clash,
              os.path.join(self.args.source, 'examples/hello.c'), '-o', self.hello, *flags])
        if 'libai8xsim' in call(['readelf', '-d', self.hello]):
            raise Failure('it needs the shared library')
        self.case_hello_runs()

    def case_cmake(self):
        """CMake's find_package finds it, in the version that was asked for and no other"""
        if not shutil.which('cmake'):
            return 'cmake is not there'
        client = os.path.join(self.folder, 'client')
        os.makedirs(client)
        text = ('cmake_minimum_required(VERSION 3.16)\nproject(client C)\nfind_package(ai8xsim {} CONFIG REQUIRED)\n'
                f'add_executable(hello {os.path.join(self.args.source, "examples/hello.c")})\n'
                'target_link_libraries(hello ai8xsim::ai8xsim)\n')
        series = '.'.join(self.args.version.split('.')[:2])
        prefix = f'-DCMAKE_PREFIX_PATH={self.prefix}'
        flags = f'-DCMAKE_C_FLAGS={" ".join(self.args.flag)}'
        for wanted, found in (('99.0', False), (series, True)):
            with open(os.path.join(client, 'CMakeLists.txt'), 'w', encoding='utf-8') as file:
                file.write(text.format(wanted))
            build = os.path.join(client, f'build-{wanted}')
            # Ninja: make is not among the packages that are needed.
            done = subprocess.run(['cmake', '-G', 'Ninja', '-S', client, '-B', build, prefix, flags],
                                  capture_output=True, text=True, check=False)
            if (done.returncode == 0) != found:
                raise Failure(f'find_package(ai8xsim {wanted}): exit status {done.returncode}\n{done.stderr}')
        build = os.path.join(client, f'build-{series}')
        call(['cmake', '--build', build])
        text = call([os.path.join(build, 'hello'), self.args.program])
        if ', 0 of ' not in text:
            raise Failure(f'printed: {text}')
        return None

    def case_program(self):
        """the installed ai8xsim runs"""
        # Found by the program itself: nothing in the environment helps.
        bare = {name: value for name, value in os.environ.items() if name != 'LD_LIBRARY_PATH'}
        text = call([os.path.join(self.prefix, 'bin/ai8xsim'), '--version'], env=bare)
        if self.args.version not in text:
            raise Failure(f'printed: {text}')

    def case_manuals(self):
        """every installed program has a manual page, with its options"""
        programs = os.listdir(os.path.join(self.prefix, 'bin'))
        if len(programs) < 5:
            raise Failure(f'few programs: {programs}')
        for name in programs:
            with open(os.path.join(self.prefix, 'share/man/man1', name + '.1'), encoding='utf-8') as file:
                page = file.read()
            for word in ('.SH NAME', '.SH SYNOPSIS', name):
                if word not in page.replace('\\-', '-'):
                    raise Failure(f'{name}.1 has no {word}')

    def case_share(self):
        """the manual page and the completions name every command and option"""
        share = os.path.join(self.prefix, 'share')
        program = os.path.join(self.prefix, 'bin/ai8xsim')
        if not os.path.exists(os.path.join(share, 'ai8xsim/models/digits/digits.h5')):
            raise Failure('the models are not there')
        if not os.path.exists(os.path.join(share, 'ai8xsim/schemas/network.schema.json')):
            raise Failure('the schemas are not there')
        texts = []
        for path in ('man/man1/ai8xsim.1', 'bash-completion/completions/ai8xsim', 'zsh/site-functions/_ai8xsim',
                     'fish/vendor_completions.d/ai8xsim.fish'):
            with open(os.path.join(share, path), encoding='utf-8') as file:
                texts.append((path, file.read().replace('\\-', '-')))
        call(['bash', '-n', os.path.join(share, 'bash-completion/completions/ai8xsim')])
        listed = call([program, '--help']).split('Commands:\n')[1].split('\n\n')[0]
        for command in re.findall(r'(?m)^  (?!help )([a-z]+) ', listed):
            for option in ['', *re.findall(r'(?m)^ +(?:-\w, +)?--([a-z-]+)', call([program, command, '--help']))]:
                for path, text in texts:
                    if command not in text or option not in text:
                        raise Failure(f'{path}: {command} --{option} is missing')


def main():
    """Runs the cases in order; each needs those before it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ('build', 'source', 'prefix', 'version', 'cc', 'program'):
        parser.add_argument(f'--{name}', required=True)
    parser.add_argument('--flag', action='append', default=[], help='further compiler flag')
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        installed = Installed(args, folder)
        cases = [installed.case_files, installed.case_pkgconfig, installed.case_exports, installed.case_versions,
                 installed.case_archives, installed.case_hello, installed.case_hello_runs, installed.case_hello_reports,
                 installed.case_static, installed.case_cmake,
                 installed.case_program, installed.case_manuals, installed.case_share, installed.case_hardened]
        print(f'1..{len(cases)}')
        for number, case in enumerate(cases, 1):
            try:
                skipped = case()
                print(f'ok {number} - {case.__doc__}{f" # SKIP {skipped}" if skipped else ""}', flush=True)
            except Failure as failure:
                failed += 1
                print(f'not ok {number} - {case.__doc__}')
                for line in str(failure).splitlines():
                    print(f'# {line}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
