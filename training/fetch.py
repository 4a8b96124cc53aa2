"""Downloads every package of sources.json with its registry's ordinary client, checks its size, and unpacks its source files.

The clients are apt-get (its sources come from the machine's own, with `deb-src` in place of `deb`), cargo, npm and pip. No code of a
package is run. A package that is unpacked already is left alone, so a second call goes on where the first one stopped. A package that
cannot be had, or has another size than sources.json says, is reported and skipped; too many of them are an error.

With --record, what sources.json does not say of a package is looked up and written there: the newest version, the size, the licence
the package declares, what the filters of prepare.py keep of it, and which packages are held out.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import packages
from packages import Package
from prepare import LANGUAGES, LARGEST, SMALLEST, source_files

BATCH = 16
MOST_MISSING = 0.05
# Wheels differ between machines; these are the ones whose sizes are recorded.
PIP_TARGET = ["--python-version", "3.11", "--implementation", "cp"]
PIP_PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"]


class Failed(Exception):
    """A client's last words."""


def run(command: list[str], folder: Path, **environment: str) -> str:
    """What a command prints, run in `folder`."""
    result = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    if result.returncode:
        raise Failed(" ".join(result.stderr.strip().splitlines()[-3:])[:300])
    return result.stdout


class Pypi:
    """pip, for wheels: building from a source archive would run its code."""

    def __init__(self, cache: Path):
        self.options = ["--no-deps", "--only-binary=:all:", *PIP_TARGET]
        for platform in PIP_PLATFORMS:
            self.options += ["--platform", platform]

    def newest(self, name: str) -> str:
        printed = run([sys.executable, "-m", "pip", "index", "versions", name], Path("."))
        return re.search(r"\((.*?)\)", printed)[1]

    def download(self, wanted: list[Package], folder: Path) -> None:
        names = [f"{package.name}=={package.version}" for package in wanted]
        run([sys.executable, "-m", "pip", "download", "--quiet", "--dest", ".", *self.options, *names], folder)

    def archives(self, package: Package, folder: Path) -> list[Path]:
        start = f"{plain(package.name)}-{package.version}-"
        return [path for path in folder.glob("*.whl") if plain(path.name).startswith(plain(start))]

    def licence(self, texts: dict[str, str]) -> str:
        metadata = next((text for path, text in texts.items() if path.endswith(".dist-info/METADATA")), "").split("\n\n")[0]
        if found := re.search(r"^License-Expression: (.+)$", metadata, re.MULTILINE):
            return found[1].strip()
        if classifiers := re.findall(r"^Classifier: License :: (?:OSI Approved :: )?(.+)$", metadata, re.MULTILINE):
            return " AND ".join(classifier.strip() for classifier in classifiers)
        found = re.search(r"^License: (.{1,60})$", metadata, re.MULTILINE)
        return found[1].strip() if found else ""


class Npm:
    def __init__(self, cache: Path):
        pass

    def newest(self, name: str) -> str:
        return run(["npm", "view", name, "version"], Path(".")).strip()

    def download(self, wanted: list[Package], folder: Path) -> None:
        run(["npm", "pack", "--silent", "--ignore-scripts", *(f"{package.name}@{package.version}" for package in wanted)], folder)

    def archives(self, package: Package, folder: Path) -> list[Path]:
        return list(folder.glob(f"{package.name.removeprefix('@').replace('/', '-')}-{package.version}.tgz"))

    def licence(self, texts: dict[str, str]) -> str:
        found = min((path for path in texts if path.endswith("package.json")), key=lambda path: path.count("/"))
        declared = json.loads(texts[found]).get("license", "")
        return declared if isinstance(declared, str) else declared.get("type", "")


class Crates:
    """cargo has no command to download one crate, so a made-up package that depends on the wanted ones is fetched."""

    def __init__(self, cache: Path):
        self.home = cache / "cargo"
        self.home.mkdir(parents=True, exist_ok=True)
        settings = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "config.toml"
        if settings.exists():
            shutil.copy(settings, self.home)

    def newest(self, name: str) -> str:
        printed = run(["cargo", "info", "--quiet", name], self.home, CARGO_HOME=str(self.home))
        return re.search(r"^version: (\S+)", printed, re.MULTILINE)[1]

    def download(self, wanted: list[Package], folder: Path) -> None:
        lines = ['[package]\nname = "wanted"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n[workspace]\n[dependencies]']
        for number, package in enumerate(wanted):
            lines.append(f'p{number} = {{ package = "{package.name}", version = "={package.version}", default-features = false }}')
        (folder / "Cargo.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "lib.rs").touch()
        (folder / "Cargo.lock").unlink(missing_ok=True)
        run(["cargo", "fetch", "--quiet"], folder, CARGO_HOME=str(self.home))
        for package in wanted:
            for archive in self.home.glob(f"registry/cache/*/{package.name}-{package.version}.crate"):
                shutil.copy(archive, folder)

    def archives(self, package: Package, folder: Path) -> list[Path]:
        return list(folder.glob(f"{package.name}-{package.version}.crate"))

    def licence(self, texts: dict[str, str]) -> str:
        manifest = min((path for path in texts if path.endswith("Cargo.toml")), key=lambda path: path.count("/"))
        return tomllib.loads(texts[manifest])["package"].get("license", "")


class Debian:
    """apt-get, with lists of its own, so that the machine's settings stay as they are."""

    def __init__(self, cache: Path):
        home = cache / "apt"
        (home / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (home / "parts").mkdir(exist_ok=True)
        found = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
        for path in found:
            if path.suffix == ".sources":
                text = re.sub(r"^Types:.*$", "Types: deb-src", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            elif path.suffix == ".list" and path.exists():
                text = re.sub(r"^deb\s", "deb-src ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            else:
                continue
            (home / "parts" / path.name).write_text(text, encoding="utf-8")
        settings = {"sourcelist": "/dev/null", "sourceparts": home / "parts"}
        self.apt = ["apt-get", "-qq", "-o", f"Dir::State::lists={home / 'lists'}", "-o", f"Dir::Cache={home}"]
        self.apt += [part for name, value in settings.items() for part in ("-o", f"Dir::Etc::{name}={value}")]
        self.apt += ["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]
        self.updated = False

    def update(self) -> None:
        if not self.updated:
            run([*self.apt, "update"], Path("."))
            self.updated = True

    def newest(self, name: str) -> str:
        self.update()
        printed = run([*self.apt, "source", "--print-uris", "--dsc-only", name], Path("."))
        shown = run(["apt-cache", *self.apt[2:], "showsrc", "--only-source", name], Path("."))
        file = re.search(r"' [^ _]+_(\S+)\.dsc ", printed)[1]
        versions = re.findall(r"^Version: (\S+)$", shown, re.MULTILINE)
        return next(version for version in versions if version.split(":")[-1] == file)

    def download(self, wanted: list[Package], folder: Path) -> None:
        self.update()
        run([*self.apt, "source", "--download-only", *(f"{package.name}={package.version}" for package in wanted)], folder)

    def archives(self, package: Package, folder: Path) -> list[Path]:
        version = package.version.split(":")[-1]
        description = folder / f"{package.name}_{version}.dsc"
        if not description.exists():
            return []
        listed = re.search(r"^Files:\n((?: .*\n)+)", description.read_text(encoding="utf-8"), re.MULTILINE)[1]
        names = [line.split()[-1] for line in listed.splitlines()]
        return [folder / name for name in names if ".tar." in name and not name.endswith(".asc")]

    def licence(self, texts: dict[str, str]) -> str:
        copyright = next((text for path, text in texts.items() if path.endswith("debian/copyright")), "")
        for paragraph in re.split(r"\n\s*\n", copyright):
            if re.search(r"^Files:\s*\*", paragraph, re.MULTILINE) and (found := re.search(r"^License: *(\S.*)$", paragraph, re.MULTILINE)):
                return found[1].strip()
        return ""


REGISTRIES = {"crates": Crates, "debian": Debian, "npm": Npm, "pypi": Pypi}
STATES_LICENCE = re.compile(r"(^[^/]*/(package\.json|Cargo\.toml)|\.dist-info/METADATA|^([^/]*/)?debian/copyright)$")


def plain(name: str) -> str:
    """A package's name as wheels spell it, in lower case."""
    return re.sub(r"[-_.]+", "_", name).lower()


def members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of an archive's source files of a fitting size, and of those that state its licence."""

    def wanted(path: str, size: int) -> bool:
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or max(map(len, parts)) > 200:
            return False
        return (os.path.splitext(path)[1] in LANGUAGES and SMALLEST <= size <= LARGEST) or bool(STATES_LICENCE.search(path))

    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if not info.is_dir() and wanted(info.filename, info.file_size):
                    yield info.filename, opened.read(info)
    else:
        with tarfile.open(archive) as opened:
            for info in opened:
                path = info.name.removeprefix("./")
                if info.isfile() and wanted(path, info.size):
                    yield path, opened.extractfile(info).read()


def unpack(archives: list[Path], folder: Path) -> dict[str, str]:
    """Unpacks source files, so that `folder` is there whole or not at all; returns the texts that state the licence."""
    stated = {}
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    for number, archive in enumerate(archives):
        for path, content in members(archive):
            if STATES_LICENCE.search(path):
                stated[path] = content.decode("utf-8", "replace")
                continue
            place = temporary / str(number) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    os.replace(temporary, folder)
    return stated


def describe(package: Package, folder: Path) -> None:
    """Fills in what the filters of prepare.py keep of an unpacked package."""
    characters = Counter()
    package.files = 0
    for language, _, text in source_files(folder):
        characters[language] += len(text)
        package.files += 1
    package.characters = characters.total()
    package.language = characters.most_common(1)[0][0] if characters else ""


class Fetcher:
    def __init__(self, out: Path, record: bool):
        self.out = out
        self.record = record
        self.missing: list[str] = []
        self.clients = {name: client(out / ".clients") for name, client in REGISTRIES.items()}

    def skip(self, package: Package, why: str) -> None:
        self.missing.append(f"{package}: {why}")
        print(f"skipped {package}: {why}", flush=True)

    def fetch(self, wanted: list[Package], folder: Path) -> None:
        """Packages of one registry. A batch that fails is halved until the one at fault is alone."""
        client = self.clients[wanted[0].registry]
        try:
            client.download(wanted, folder)
        except Failed as failure:
            if len(wanted) == 1:
                self.skip(wanted[0], str(failure))
                return
            half = len(wanted) // 2
            self.fetch(wanted[:half], folder)
            self.fetch(wanted[half:], folder)
            return
        for package in wanted:
            self.keep(package, client.archives(package, folder))

    def keep(self, package: Package, archives: list[Path]) -> None:
        size = sum(path.stat().st_size for path in archives)
        if not archives:
            self.skip(package, "the client reported success but left no archive")
            return
        if package.bytes not in (0, size) or (package.bytes == 0 and not self.record):
            self.skip(package, f"has {size} bytes, should have {package.bytes}")
            return
        folder = self.out / package.folder
        stated = unpack(archives, folder)
        if self.record:
            package.bytes = size
            package.licence = package.licence or self.clients[package.registry].licence(stated)
            describe(package, folder)
        print(f"unpacked {package}", flush=True)

    def fetch_all(self, wanted: list[Package]) -> None:
        for registry in REGISTRIES:
            of_registry = [package for package in wanted if package.registry == registry]
            if self.record:
                for package in of_registry:
                    self.look_up_version(package)
            of_registry = [package for package in of_registry if package.version and not (self.out / package.folder).exists()]
            for start in range(0, len(of_registry), BATCH):
                with tempfile.TemporaryDirectory(prefix=".download-", dir=self.out) as folder:
                    self.fetch(of_registry[start : start + BATCH], Path(folder))

    def look_up_version(self, package: Package) -> None:
        if not package.version:
            try:
                package.version = self.clients[package.registry].newest(package.name)
            except (Failed, TypeError, StopIteration) as failure:
                self.skip(package, f"no version: {failure}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the folder to unpack into")
    parser.add_argument("--sources", type=Path, default=packages.SOURCES, help="(default: sources.json beside this script)")
    parser.add_argument("--record", action="store_true", help="fill in what the list of sources does not say yet")
    args = parser.parse_args()
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    wanted = packages.read(args.sources)
    fetcher = Fetcher(args.out, args.record)
    fetcher.fetch_all(wanted)
    if args.record:
        packages.choose_held_out(wanted)
        packages.write(wanted, args.sources)
    shutil.rmtree(args.out / ".clients")
    share = len(fetcher.missing) / len(wanted)
    print(f"{len(wanted) - len(fetcher.missing)} of {len(wanted)} packages are there")
    (args.out / "missing.json").write_text(json.dumps(fetcher.missing, indent=1) + "\n", encoding="utf-8")
    if share > MOST_MISSING:
        sys.exit(f"{share:.0%} of the packages are missing, more than {MOST_MISSING:.0%}:\n" + "\n".join(fetcher.missing))


if __name__ == "__main__":
    main()
