#!/usr/bin/python3
"""Makes the Python package's declarations from the public headers, which stay the one place that states them.

    declarations.py OUTPUT HEADER...

Writes a module of cffi's ABI mode: pure Python, no compiler, the same for every version of Python.
"""
import os
import re
import sys

import cffi

# Of the C library: files for functions that write to one, memory that the library frees.
LIBC = '''
FILE *fopen(const char *path, const char *mode);
int fclose(FILE *file);
void *malloc(size_t size);
void free(void *memory);
'''
NUMBER = re.compile(r'#define (AI8X_\w+) (?:UINT64_C\()?(-?\d+)u?\)?\s*$', re.M)


def order(path, texts, done, ordered):
    """Appends a header's text after those of the headers that it includes."""
    name = os.path.basename(path)
    if name in done:
        return
    done.add(name)
    for included in re.findall(r'#include [<"](?:ai8xsim/)?(\w+\.h)', texts[name]):
        if included in texts:
            order(included, texts, done, ordered)
    ordered.append(texts[name])


def declarations(text):
    """What cffi understands of a header's text: comments, directives and marks are gone."""
    text = re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)
    text = re.sub(r'//[^\n]*', ' ', text)
    constants = NUMBER.findall(text)
    text = re.sub(r'#ifdef __cplusplus.*?#endif', ' ', text, flags=re.S)
    text = re.sub(r'(?m)^[ \t]*#(?:.*\\\n)*.*$', ' ', text)
    text = re.sub(r'\bAI8X_API(?:_EXPERIMENTAL)?\b|__attribute__\s*\(\(.*?\)\)', ' ', text)
    return ''.join(f'#define {name} {value}\n' for name, value in constants) + text


def main():
    """Reads the headers, writes the module."""
    output, paths = sys.argv[1], sys.argv[2:]
    texts = {}
    for path in paths:
        with open(path, encoding='utf-8') as file:
            texts[os.path.basename(path)] = file.read()
    ordered = []
    done = set()
    for path in paths:
        order(path, texts, done, ordered)
    builder = cffi.FFI()
    builder.set_source('ai8xsim._declarations', None)
    builder.cdef(declarations('\n'.join(ordered)) + LIBC)
    builder.emit_python_code(output)


if __name__ == '__main__':
    main()
