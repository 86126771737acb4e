#!/usr/bin/env python3
"""Makes a C file of the page's sources: embed.py OUTPUT SOURCE... (see meson.build)."""
import pathlib
import sys

output, sources = pathlib.Path(sys.argv[1]), [pathlib.Path(path) for path in sys.argv[2:]]


def text(suffix):
    return "".join(path.read_text(encoding="utf-8") for path in sources if path.suffix == suffix)


parts = {
    "show_page_head": "<style>\n" + text(".css") + "</style>\n",
    "show_page_body": text(".html"),
    "show_page_script": "<script>\n'use strict';\n(() => {\n" + text(".js") + "})();\n</script>\n",
}
lines = ["// Made by web/embed.py.", '#include "view/show.h"']
for name, value in parts.items():
    data = value.encode() + b"\0"
    lines.append(f"const char {name}[] = {{")
    for at in range(0, len(data), 24):
        # Bytes from 128 on are negative where char is signed: written so that no conversion warns.
        lines.append("".join(f"{byte if byte < 128 else byte - 256}," for byte in data[at : at + 24]))
    lines.append("};")
output.write_text("\n".join(lines) + "\n", encoding="ascii")
