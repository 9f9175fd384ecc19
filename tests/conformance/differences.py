"""The table of what other servers answer differently, and who is right."""

import csv
from pathlib import Path

TABLE = Path(__file__).with_name("differences.tsv")
COLUMNS = ("server", "check", "answers", "ours", "right", "by")


def read():
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None))


def write(rows):
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (row["server"], row["check"])))


def hold(server, parts, results, accept):
    """What the table does not say, and what it says that is not so."""
    rows = read()
    concerned = [row for row in rows if row["server"] == server.name and part(row) in parts]
    if parts == server.parts:
        concerned += [row for row in rows if row["server"] == server.name and part(row) == "model"]
    whole = {row["check"]: row for row in concerned}
    differing = {name: result for name, result in results.items() if not result.same}
    if accept:
        kept = [row for row in rows if row not in concerned]
        for name, result in differing.items():
            known = whole.get(name, {})
            said = {"server": server.name, "check": name, "answers": result.got, "ours": result.expected}
            kept.append({**said, "right": known.get("right", ""), "by": known.get("by", "")})
        write(kept)
        return [f"{name}: who is right?" for name in differing if not whole.get(name, {}).get("right")]
    complaints = []
    for name, result in differing.items():
        row = whole.get(name)
        if row is None:
            complaints.append(f"{name}\n  expected {result.expected}\n  got      {result.got}")
        elif (row["answers"], row["ours"]) != (result.got, result.expected):
            complaints.append(f"{name}: not as the table says\n  expected {result.expected}\n  got      {result.got}\n  table    {row['answers']}")
        elif not (row["right"] and row["by"]):
            complaints.append(f"{name}: the table does not say who is right, and by which document")
    for name, row in whole.items():
        if name not in differing:
            complaints.append(f"{name}: the table says that {server.name} differs, and it does not")
    return complaints


def part(row):
    return row["check"].partition("/")[0]
