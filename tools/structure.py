"""Prints how the code is laid out: its rooms, the imports between them, import circles, and doubled class names.

A *room* is a package, or a module that lies directly in a layer. An *arrow* goes from one room to another room of the
same layer when any module of the first imports any module of the second. Imports are read from the source text; nothing
is run. With --check, exits with 1 when there is an import circle or when two classes share a name.
"""

import argparse
import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

LAYERS = (
    "bot.domain",
    "bot.store",
    "bot.services",
    "bot.views",
    "bot.discord_io",
    "bot.exports",
    "bot.sandbox",
    "cogs",
)
Graph = Mapping[str, set[str]]


def modules_of(root: Path) -> dict[str, Path]:
    """The modules of `bot` and `cogs` by their dotted names."""
    found = {}
    for package in ("bot", "cogs"):
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(path: Path, modules: Mapping[str, Path]) -> set[str]:
    """The project's modules that a module imports anywhere in its text, those inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(names & modules.keys() or {node.module})
    return found & modules.keys()


def circles(graph: Graph) -> list[list[str]]:
    """The strongly connected components of more than one node."""

    def reach(start: str) -> set[str]:
        seen, left = set(), [start]
        while left:
            for after in graph.get(left.pop(), ()):
                if after not in seen:
                    seen.add(after)
                    left.append(after)
        return seen

    reached = {node: reach(node) for node in graph}
    found = {
        tuple(sorted({node} | {other for other in reached[node] if node in reached.get(other, ())}))
        for node in graph
        if node in reached[node]
    }
    return [list(circle) for circle in sorted(found) if len(circle) > 1]


def room_in(layer: str, module: str) -> str:
    """The child of a layer that a module lies in."""
    return ".".join(module.split(".")[: layer.count(".") + 2])


def arrows_in(layer: str, graph: Graph) -> dict[str, set[str]]:
    """The imports between the rooms of one layer."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, imported in graph.items():
        if module.startswith(f"{layer}."):
            room = room_in(layer, module)
            found[room] |= {room_in(layer, one) for one in imported if one.startswith(f"{layer}.")} - {room}
    return dict(found)


def doubled_classes(modules: Mapping[str, Path]) -> dict[str, list[str]]:
    """The class names that are defined in more than one module, with the modules."""
    defined = defaultdict(list)
    for module, path in modules.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                defined[node.name].append(module)
    return {name: where for name, where in sorted(defined.items()) if len(where) > 1}


def report(root: Path) -> tuple[int, Iterable[str]]:
    """The number of faults (circles and doubled names), and the lines to print."""
    modules = modules_of(root)
    graph = {name: imports_of(path, modules) - {name} for name, path in modules.items()}
    lines = [f"{'layer':16}{'modules':>8}{'rooms':>8}{'arrows':>8}{'circles':>9}"]
    room_circles = []
    for layer in LAYERS:
        inside = arrows_in(layer, graph)
        of_rooms = circles(inside)
        room_circles += of_rooms
        count = sum(name.startswith(f"{layer}.") for name in modules)
        arrows = sum(map(len, inside.values()))
        lines.append(f"{layer:16}{count:>8}{len(inside):>8}{arrows:>8}{len(of_rooms):>9}")
    of_modules = circles(graph)
    doubled = doubled_classes(modules)
    lines.append(f"all: modules={len(modules)} imports={sum(map(len, graph.values()))}")
    lines += [f"circle of modules: {', '.join(circle)}" for circle in of_modules]
    lines += [f"circle of rooms: {', '.join(circle)}" for circle in room_circles if circle not in of_modules]
    lines += [f"doubled name: {name} in {', '.join(where)}" for name, where in doubled.items()]
    lines.append(
        f"structure: module-circles={len(of_modules)} room-circles={len(room_circles)} doubled-names={len(doubled)}"
    )
    return len(of_modules) + len(room_circles) + len(doubled), lines


def main() -> int:
    """Print the report of the checkout that this file lies in, or of another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--check", action="store_true", help="fail when there is a circle or a doubled name")
    options = parser.parse_args()
    faults, lines = report(options.root)
    print("\n".join(lines))
    return 1 if options.check and faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
