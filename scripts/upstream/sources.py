"""The project's sources as an earlier patch of a series has them: without what later ones bring.

A patch is not stored anywhere. Each subject names what it brings: whole files, their sections of the headers, and
what it has in files of others. All of that is taken away from the sources as they are, from the last subject to the
first, and the differences between those states are the patches. What is to be taken away and is not there, or not
just once, is an error: so whoever moves code hears of it.
"""
import re


class Missing(Exception):
    """The sources have changed, and what a subject brings has to be written down anew."""


def chunks(text):
    """What TEXT, of C, defines: its pieces between blank lines that are in no braces and no comment."""
    found, lines, depth, within = [], [], 0, False
    for line in text.splitlines(keepends=True):
        lines.append(line)
        bare = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'', "", line)
        while bare:
            if within:
                _, end, bare = bare.partition("*/")
                within = not end
                continue
            code, begin, bare = bare.partition("/*")
            depth += code.count("{") - code.count("}")
            within = bool(begin)
        if not line.strip() and not depth and not within:
            found.append("".join(lines))
            lines = []
    return found + ["".join(lines)]


def defines(chunk, name):
    """Whether CHUNK is there for NAME: a function, a variable, a structure, a macro or a prototype."""
    code = re.sub(r"/\*.*?\*/", "", chunk, flags=re.DOTALL)
    word = re.escape(name)
    return bool(re.search(rf"^{word} \(", code, re.MULTILINE)
                or re.search(rf"^(?:static |extern )?(?:const )?(?:struct|enum) {word}\n", code, re.MULTILINE)
                or re.search(rf"^#define {word}\b", code, re.MULTILINE)
                or re.search(rf"^(?:static[^;{{}}]*|}} )\b{word}(?:\[\])?(?:;|\s*=|\n *=)", code, re.MULTILINE)
                or ("{" not in code and re.search(rf"^\S.*\b{word} \(", code, re.MULTILINE)))


def format_comments(text):
    """TEXT with comments as grub-dev.texi wants them: of several lines, asterisks begin each and the ends stand alone. One
    that stands behind code comes before it."""
    def change(match):
        before, comment = match[1], match[2]
        lines = comment[2:-2].rstrip().split("\n")
        if all(line.lstrip().startswith("*") or not line.strip() for line in lines[1:]):
            return match[0]
        indent = re.match(r"[ \t]*", before)[0]
        rest = [line.expandtabs() for line in lines[1:]]
        common = min(len(line) - len(line.lstrip()) for line in rest if line.strip())
        words = [lines[0].strip(), *(line[common:].rstrip() for line in rest)]
        block = [f"{indent}/*", *(f"{indent} * {line}".rstrip() for line in words), f"{indent} */"]
        code = [before.rstrip()] if before.strip() else []
        return "\n".join(block + code)
    string, short, long = r'"(?:\\.|[^"\\\n])*"', r"/\*(?:(?!\*/)[^\n])*\*/", r"/\*(?:(?!\*/).)*\n(?:(?!\*/).)*\*/"
    return re.sub(rf'^((?:[^\n"/]|{string}|/(?!\*)|{short})*)({long})', change, text, flags=re.MULTILINE | re.DOTALL)


class Sources(dict):
    """Names of files, and their text."""

    def edit(self, path, text):
        # Two blank lines stand between sections, and none at the end.
        self[path] = re.sub(r"\n{4,}", "\n\n\n", text).rstrip("\n") + "\n"

    def remove(self, *paths):
        for path in paths:
            if path not in self:
                raise Missing(f"{path}: there is no such file")
            del self[path]

    def drop(self, path, *names):
        """Take away what defines NAMES."""
        for name in names:
            parts = chunks(self[path])
            kept = [part for part in parts if not defines(part, name)]
            if len(kept) != len(parts) - 1:
                raise Missing(f"{path}: {len(parts) - len(kept)} places define {name}, not one")
            self.edit(path, "".join(kept))

    def insert(self, path, name, text):
        """Put TEXT before what defines NAME."""
        parts = chunks(self[path])
        at = [i for i, part in enumerate(parts) if defines(part, name)]
        if len(at) != 1:
            raise Missing(f"{path}: {len(at)} places define {name}, not one")
        self.edit(path, "".join([*parts[:at[0]], text, *parts[at[0]:]]))

    def cut(self, path, old, new=""):
        """Put NEW where OLD is. A comment in OLD stands for whatever comment is there; blanks do not count."""
        words = [r"/\*(?:(?!\*/).)*\*/" if word.startswith("/*") else re.escape(word)
                 for word in re.findall(r"/\*.*?\*/|[\w.\-]+|[^\w\s]", old, re.DOTALL)]
        pattern = re.compile((r"[ \t]*" if old[0] in " \t" else r"\n*" if old[0] == "\n" else "") + r"\s*".join(words)
                             + (r"[ \t]*\n" if old.endswith("\n") else ""), re.DOTALL)
        found = list(pattern.finditer(self[path]))
        if len(found) != 1:
            raise Missing(f"{path}: {len(found)} places, not one, have\n{old}")
        self.edit(path, self[path][:found[0].start()] + new + self[path][found[0].end():])

    def end_before(self, path, name):
        """Take away the rest of the header PATH, but its #endif, from what defines NAME on."""
        parts = chunks(self[path])
        at = [i for i, part in enumerate(parts) if defines(part, name)]
        if len(at) != 1:
            raise Missing(f"{path}: {len(at)} places define {name}, not one")
        self.edit(path, "".join(parts[:at[0]]) + "#endif\n")

    def option(self, path, *names):
        """Take away the rows of PATH's table of options that are for NAMES."""
        for name in names:
            text, count = re.subn(rf'^    \{{"{name}",(?:[^{{}}"]|"(?:\\.|[^"\\])*")*\}},\n', "", self[path], flags=re.MULTILINE)
            if count != 1:
                raise Missing(f"{path}: {count} rows, not one, are of option {name}")
            self.edit(path, text)

    def section(self, path, *names):
        """Take away the sections of PATH whose headings say NAMES; the last one ends where the file does."""
        heading = re.compile(r"^/\*(?: |\n \* )(?:\w+\.c|The rules)\b", re.MULTILINE)
        for name in names:
            text = self[path]
            starts = [found.start() for found in heading.finditer(text)] + [text.rindex("#endif")]
            mine = [i for i, start in enumerate(starts) if re.match(rf"/\*(?: |\n \* ){re.escape(name)}\b", text[start:])]
            if len(mine) != 1:
                raise Missing(f"{path}: {len(mine)} sections, not one, are {name}")
            self.edit(path, text[:starts[mine[0]]] + text[starts[mine[0] + 1]:])

    def keep_used_rules(self, path):
        """Of the rules in PATH keep those that some file checks or reports."""
        code = "".join(text for name, text in self.items() if name.endswith(".c"))
        text = self[path]
        for row in re.findall(r'^RULE \((?:"(?:\\.|[^"\\])*"|[^()"])*\)\n', text, re.MULTILINE):
            number, check = re.match(r"RULE \((\w+), [^,]*, \w+, \w+,\s*(\w+)", row).groups()
            if check == "NULL":
                used = re.search(rf"\bGRUB_DOM0LESS_RULE_{number}\b", code)
            else:
                used = re.search(rf"^{check} \(", code, re.MULTILINE)
            if not used:
                text = text.replace(row, "")
        self.edit(path, re.sub(r"\n{3,}", "\n\n", text))
