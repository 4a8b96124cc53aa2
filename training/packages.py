"""What sources.json says about the packages of the corpus, and where they are unpacked."""

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).with_name("sources.json")


@dataclass
class Package:
    """A package of sources.json; what is not known yet is filled in by `fetch.py --record`."""

    registry: str  # crates, debian, npm or pypi
    name: str
    version: str = ""
    licence: str = ""  # as the package itself declares it
    bytes: int = 0  # of its archives
    language: str = ""  # that most of its characters are in
    files: int = 0  # that pass the filters of prepare.py
    characters: int = 0  # of those
    seen: bool = False  # by the first model, whose weights later ones start from
    held_out: bool = False

    @property
    def folder(self) -> str:
        """Where it is unpacked, below the folder of all packages."""
        return f"{self.registry}/{self.name.removeprefix('@').replace('/', '-')}-{self.version.replace(':', '_')}"

    def __str__(self) -> str:
        return f"{self.registry} {self.name} {self.version}".rstrip()


def read(path: Path = SOURCES) -> list[Package]:
    return [Package(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def write(packages: list[Package], path: Path = SOURCES) -> None:
    """One package a line, sorted; what has its default value is left out."""

    def row(package: Package) -> str:
        return json.dumps({field.name: value for field in dataclasses.fields(package) if (value := getattr(package, field.name))})

    lines = [row(package) for package in sorted(packages, key=lambda package: (package.registry, package.name.lower(), package.version))]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def family(package: Package) -> str:
    """Packages of one project share it, as far as names tell: the first word of a name, or of a Go package's owner."""
    name = package.name.lower().removeprefix("@").removeprefix("golang-github-")
    if package.registry == "debian" and package.name == name:
        return f"debian {name}"
    return f"{package.registry} {re.split('[-_/.]', name)[0]}"


def choose_held_out(packages: list[Package], fewest: int = 3, characters: int = 1_000_000) -> None:
    """Marks packages to hold out for every language that has none.

    Only projects are chosen which no model has seen and which are neither tiny nor a great part of their language. They are taken in the
    order of the hash of their name, until there are `fewest` and they have that many characters.
    """
    families: dict[str, list[Package]] = {}
    for package in packages:
        families.setdefault(family(package), []).append(package)
    done = {package.language for package in packages if package.held_out}
    for language in sorted({package.language for package in packages} - done - {""}):
        candidates = []
        for name, members in families.items():
            size = sum(package.characters for package in members)
            of_language = all(package.language == language for package in members)
            if of_language and not any(package.seen for package in members) and 60_000 <= size <= 3_000_000:
                candidates.append((hashlib.sha256(name.encode()).hexdigest(), size, members))
        chosen = total = 0
        for _, size, members in sorted(candidates, key=lambda candidate: candidate[0]):
            if chosen >= fewest and total >= characters:
                break
            chosen, total = chosen + 1, total + size
            for package in members:
                package.held_out = True
