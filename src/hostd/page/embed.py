#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py TO FOLDER [DYGRAPHS] - the page as C

Writes TO, a C source that holds every file of the page in FOLDER and dygraphs' script and style from the
folder DYGRAPHS, or empty ones where that is not given: see page_files.h.
"""

import hashlib
import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FILES = ["index.html", "style.css", "icon.svg", "theme.js", "words.js", "curve.js", "list.js", "guest.js", "page.js"]
WITHOUT = b"/* built without dygraphs */\n"


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def c_bytes(data):
    lines = (data[i:i + 24] for i in range(0, len(data), 24))
    return "\n".join("\t" + "".join("%d," % byte for byte in line) for line in lines)


def main():
    to, folder = sys.argv[1:3]
    dygraphs = sys.argv[3] if len(sys.argv) > 3 else ""
    files = {name: read(folder, name) for name in FILES}
    for name, source in (("dygraph.js", "dygraph.min.js"), ("dygraph.css", "dygraph.min.css")):
        files[name] = read(dygraphs, source) if dygraphs else WITHOUT
    # Its map is not served: without this line no browser asks for it.
    files["dygraph.js"] = files["dygraph.js"].split(b"//# sourceMappingURL=")[0]
    files["dygraph.css"] = files["dygraph.css"].split(b"/*# sourceMappingURL=")[0]
    with open(to, "w") as out:
        out.write("/* Made by embed.py. */\n#include \"hostd/page_files.h\"\n\n")
        for i, data in enumerate(files.values()):
            out.write("static const unsigned char DATA_%d[] = {\n%s\n};\n\n" % (i, c_bytes(data)))
        out.write("const struct page_file PAGE_FILES[] = {\n")
        for i, (name, data) in enumerate(files.items()):
            out.write('\t{ "/%s", "%s", "\\"%s\\"", DATA_%d, sizeof DATA_%d },\n' % (
                "" if name == "index.html" else name, TYPES[os.path.splitext(name)[1]],
                hashlib.sha256(data).hexdigest()[:16], i, i))
        out.write("};\nconst size_t N_PAGE_FILES = sizeof PAGE_FILES / sizeof *PAGE_FILES;\n")


main()
