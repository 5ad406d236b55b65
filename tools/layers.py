#!/usr/bin/env python3
"""The arrows of the house, checked: tools/layers.py [liborrery.a]

From the #include lines: each room uses only rooms below it, nobody includes another room's private header, no circle of
headers, and a third-party library is called from one folder of a room.  With the static library also from its symbols,
since the public header lets anyone name anything: no object uses a symbol that a room above, or beside, it defines."""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# The house (docs/architecture.md), a floor a line, the lowest first.  Rooms of one floor don't use each other.
FLOORS = [
    ["base"],
    ["simd"],
    ["device", "numeric", "store"],
    ["tensor", "theory", "report"],
    ["ingredient", "instrument"],
    ["lab"],
    ["law"],
    ["cli"],
]
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
# Never, though the floors would let it.
NEVER = {("law", "cli"), ("theory", "ingredient"), ("theory", "instrument"), ("theory", "lab")}
# Headers of third-party libraries, and the rooms that wrap them.
THIRD_PARTY = {
    r"cblas\.h": {"simd", "numeric", "device"},
    r"lapacke?\.h": {"numeric"},
    r"arpack": {"numeric"},
    r"(cvode|sundials|nvector|sunmatrix|sunlinsol|sunnonlinsol)/": {"numeric"},
    r"lbfgs\.h": {"numeric"},
    r"libxsmm": {"simd", "device"},
    r"sqlite3\.h": {"store"},
    r"yaml\.h": {"lab"},
    r"zlib\.h": {"base", "ingredient", "store"},
    r"Random123/": {"base", "device"},
}
problems = []


def room_of(path):
    return path.relative_to(SRC).parts[0]


def includes(path):
    """(line number, name, is quoted) of each #include."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found[2], found[1] == '"'


def resolve(path, name):
    """The file of src/ that a quoted name means, or None (the public header, a generated file)."""
    for folder in (path.parent, SRC):
        if (folder / name).is_file():
            return (folder / name).resolve()
    return None


def may_use(user, used):
    return user == used or (FLOOR[used] < FLOOR[user] and (user, used) not in NEVER)


def check_include(path, number, target):
    user, used = room_of(path), room_of(target)
    where = f"{path.relative_to(ROOT)}:{number}"
    if not may_use(user, used):
        problems.append(f"{where}: {user}/ may not use {used}/ ({target.relative_to(SRC)})")
    if target.stem.endswith("_private") and user != used:
        problems.append(f"{where}: {target.relative_to(SRC)} is a secret of {used}/")


def check_third_party(files):
    users = collections.defaultdict(set)
    for path in files:
        for number, name, _ in includes(path):
            for pattern, rooms in THIRD_PARTY.items():
                if re.match(pattern, name):
                    users[pattern, room_of(path)].add(path.parent.relative_to(ROOT))
                    if room_of(path) not in rooms:
                        where = f"{path.relative_to(ROOT)}:{number}"
                        problems.append(f"{where}: <{name}> is wrapped in {' or '.join(sorted(rooms))}")
    for (pattern, _), folders in users.items():
        if len(folders) > 1:
            problems.append(f"{pattern} is included in {', '.join(map(str, sorted(folders)))}; one folder wraps a library")


def check_circles(edges):
    state = {}  # 1 on the way, 2 done

    def visit(node, way):
        if state.get(node) == 2:
            return
        if state.get(node) == 1:
            circle = way[way.index(node):] + [node]
            problems.append("a circle of files: " + " -> ".join(str(p.relative_to(SRC)) for p in circle))
            return
        state[node] = 1
        for target in edges[node]:
            visit(target, way + [node])
        state[node] = 2

    for node in list(edges):
        visit(node, [])


def check_symbols(library):
    """Objects are named after their source, room first: base_arena.c.o."""
    listing = subprocess.run(["nm", "-A", library], capture_output=True, text=True, check=True).stdout
    defined, used = {}, []
    for line in listing.splitlines():
        found = re.match(r".*?:(?:[^:]*/)?([a-z]+)_([^:]+)\.c\.o:\s*[0-9a-f]*\s+(\w) (\w+)$", line)
        if not found or found[1] not in FLOOR:
            continue
        room, name, kind, symbol = found.groups()
        if kind in "TDBRVWC":
            defined[symbol] = room
        elif kind == "U":
            used.append((room, name, symbol))
    for room, name, symbol in used:
        if symbol in defined and not may_use(room, defined[symbol]):
            problems.append(f"{room}/ ({name}.c) uses {symbol} of {defined[symbol]}/, which stands above or beside it")
    return len(defined)


def main():
    files = sorted(p for p in SRC.rglob("*") if p.suffix in (".c", ".h", ".inc", ".def") and len(p.relative_to(SRC).parts) > 1)
    edges = collections.defaultdict(list)
    for path in files:
        if room_of(path) not in FLOOR:
            problems.append(f"{path.relative_to(ROOT)}: src/{room_of(path)} is no room of the house")
            continue
        for number, name, quoted in includes(path):
            target = resolve(path, name) if quoted else None
            if target and target != path and room_of(target) in FLOOR:
                check_include(path, number, target)
                edges[path].append(target)
    check_third_party(files)
    check_circles(edges)
    symbols = check_symbols(sys.argv[1]) if len(sys.argv) > 1 else 0
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"layers: {len(files)} files, {symbols} symbols, {len(problems)} wrong arrows")
    return 1 if problems else 0


sys.exit(main())
