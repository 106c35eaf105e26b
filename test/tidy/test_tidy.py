#!/usr/bin/env python3
"""tools/tidy finds each fault it looks for, once and at its line, and nothing in a tree without faults."""
import pathlib
import subprocess
import tempfile
import unittest

TIDY = pathlib.Path(__file__).resolve().parents[2] / "tools/tidy"

# Small rooms without a fault; each test adds one.
SOUND = {
    "src/base/base.hpp": "// base: words.\n#pragma once\n",
    "src/wire/wire.hpp": "// wire: bytes.\n#pragma once\n",
    "src/wire/lines.hpp": "// Internal to wire.\n#pragma once\n",
    "src/http/http.hpp": "// http: a connection.\n#pragma once\n#include \"http/limits.hpp\"\n",
    "src/http/limits.hpp": "// http: its limits.\n#pragma once\n",
    "src/http/fixture.hpp": "// http: what its tests share.\n#pragma once\n#include <gtest/gtest.h>\n#include \"sim/sim.hpp\"\n",
    "src/http/http_test.cpp": "#include \"http/fixture.hpp\"\n",
    "src/sim/sim.hpp": "// sim: a pretend world.\n#pragma once\n#include \"base/base.hpp\"\n",
    "src/front/front.cpp": "#include \"http/limits.hpp\"\n#include \"wire/wire.hpp\"\n",
}


def faults(added):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**SOUND, **added}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        ran = subprocess.run([TIDY, folder], capture_output=True, text=True)
    *found, last = ran.stdout.splitlines()
    assert last == (f"tidy: {len(found)} faults" if found else "tidy: clean"), ran.stdout + ran.stderr
    assert ran.returncode == (1 if found else 0)
    return found


class Tidy(unittest.TestCase):
    def finds(self, name, text, *found):
        self.assertEqual(faults({name: text}), list(found))

    def test_a_sound_tree_is_clean(self):
        self.assertEqual(faults({}), [])

    def test_floors(self):
        self.finds("src/wire/a.cpp", "\n#include \"http/http.hpp\"\n",
                   "src/wire/a.cpp:2: wire (floor 1) may not include http (floor 3)")
        self.finds("src/chat/a.cpp", "#include \"wire/wire.hpp\"\n",
                   "src/chat/a.cpp:1: chat (floor 1) may not include wire (floor 1)")

    def test_a_room_is_entered_by_its_public_header(self):
        self.finds("src/http/a.cpp", "#include \"wire/lines.hpp\"\n",
                   "src/http/a.cpp:1: enter wire by wire/wire.hpp, not wire/lines.hpp")
        self.finds("test/a.cpp", "#include \"wire/lines.hpp\"\n")

    def test_only_app_and_tests_see_a_world(self):
        said = "only app and tests include sim"
        self.finds("src/http/a.cpp", "#include \"sim/sim.hpp\"\n", f"src/http/a.cpp:1: {said}")
        self.finds("src/http/b_test.cpp", "#include \"sim/sim.hpp\"\n")
        # A header for tests stops being one when the program includes it.
        self.finds("src/http/a.cpp", "#include \"http/fixture.hpp\"\n",
                   "src/http/fixture.hpp:3: gtest/gtest.h belongs into a .cpp file", f"src/http/fixture.hpp:4: {said}")

    def test_a_world_sees_only_base_and_env(self):
        self.finds("src/os/a.cpp", "#include \"wire/wire.hpp\"\n", "src/os/a.cpp:1: os sees only base and env, not wire")

    def test_libraries_stay_in_cpp_files(self):
        self.finds("src/wire/a.hpp", "// a\n#pragma once\n#include <boost/json.hpp>\n",
                   "src/wire/a.hpp:3: boost/json.hpp belongs into a .cpp file")
        self.finds("src/wire/a.cpp", "#include <boost/json.hpp>\n")

    def test_headers(self):
        self.finds("src/wire/a.hpp", "// a\nint a();\n", "src/wire/a.hpp:1: a header begins with #pragma once")
        self.finds("src/wire/a.hpp", "#pragma once\n", "src/wire/a.hpp:1: a header's first line says what it is")

    def test_sizes(self):
        self.finds("src/wire/a.cpp", "//\n" * 500)
        self.finds("src/wire/a.cpp", "//\n" * 501, "src/wire/a.cpp:500: 501 lines ask to be two files (at most 500)")
        self.finds("src/wire/a.cpp", "// " + "x" * 118 + "\n", "src/wire/a.cpp:1: 121 columns (at most 120)")
        long = "  f();\n" * 70
        for start in ("int f() {", "auto f(int a,\n       int b) const -> int {", "a::a(int b)\n    : b_(b) {"):
            lines = start.count("\n") + 71
            self.finds("src/wire/a.cpp", f"\n{start}\n{long}}}\n",
                       f"src/wire/a.cpp:2: a function of {lines} lines asks to be two (at most 70)")
        self.finds("src/wire/a.cpp", f"struct a {{\n  int f() {{\n{long}  }}\n}};\n",
                   "src/wire/a.cpp:2: a function of 71 lines asks to be two (at most 70)")
        self.finds("src/wire/a.cpp", f"template <class T>\nclass a {{\n{long}}};\n")
        self.finds("src/wire/a.cpp", f"constexpr int table[] = {{\n{long}}};\n")

    def test_a_capturing_lambda_is_no_coroutine(self):
        said = "a capturing lambda coroutine dangles: name it"
        self.finds("src/wire/a.cpp", "co_spawn(loop,\n         [this] { return f(); }, detached);\n", f"src/wire/a.cpp:1: {said}")
        self.finds("src/wire/a.cpp", "scope.spawn([&]() -> task<void> {}());\n", f"src/wire/a.cpp:1: {said}")
        self.finds("src/wire/a.cpp", "co_spawn(loops[i], f(i), detached);\nscope.spawn([]() -> task<void> {}());\n")

    def test_text(self):
        self.finds("docs/a.md", "no end", "docs/a.md:1: ends without a newline")
        self.finds("docs/a.py", "a \n\tb\n", "docs/a.py:1: white space at the end", "docs/a.py:2: a tab")
        self.finds("docs/a.md", "TODO\n", "docs/a.md:1: do it now, or write it where plans stand")
        self.finds("docs/a.md", "see /home/me/a\n", "docs/a.md:1: a path of one machine")
        self.finds("docs/helpers/a.md", "a\n", "docs/helpers/a.md:1: a name that says nothing: what is in it?")


if __name__ == "__main__":
    unittest.main()
