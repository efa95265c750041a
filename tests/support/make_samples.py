"""Writes the files in samples/: ``python -m tests.support.make_samples``. The same files at every run.

UUIDs are those of the sandbox's own world (seed 1), so that every sample can be rehearsed against it.
"""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from piggy_batch.sandbox import Sandbox, Settings, make_app

SAMPLES = Path(__file__).parents[2] / "samples"
LEGACY_ROWS = 2_000
TILL_ROWS = 3_000
REFUSED = 6  # rows whose contact the service does not know


def world() -> tuple[list[str], list[str], list[tuple[str, str]], str]:
    """Contacts, programs, (giftcard uuid, hash) and a shop of the sandbox as it starts."""
    import asyncio

    async def ask() -> tuple[list[str], list[str], list[tuple[str, str]], str]:
        sandbox = Sandbox(Settings(giftcards=1000, contacts=1000))
        transport = httpx.ASGITransport(app=make_app(sandbox))
        headers = {"Authorization": "Bearer sandbox"}
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as client:
            lines = (await client.get("/_sandbox/contacts")).text.splitlines()
            contacts = [json.loads(line)["uuid"] for line in lines]
            cards = [json.loads(line) for line in (await client.get("/_sandbox/giftcards")).text.splitlines()]
            programs = (await client.get("/api/v3/oauth/clients/giftcard-programs")).json()["data"]
            shops = (await client.get("/api/v3/oauth/clients/shops")).json()["data"]
        return (
            contacts,
            [p["uuid"] for p in programs],
            [(c["uuid"], c["hash"]) for c in cards if c["expires"] is None and c["upgradeable"] and c["active"]],
            shops[0]["uuid"],
        )

    return asyncio.run(ask())


def write(name: str, header: list[str], rows: list[list[str]]) -> None:
    """One manifest as CSV and as Parquet."""
    with (SAMPLES / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    columns = {title: pa.array([row[i] or None for row in rows], pa.string()) for i, title in enumerate(header)}
    pq.write_table(pa.table(columns), SAMPLES / f"{name}.parquet", compression="zstd")


def legacy(contacts: list[str]) -> None:
    """A till system's list: semicolons, leading zeros, some contacts, a few that nobody knows."""
    rng = random.Random(2009)
    numbers = rng.sample(range(1, 10**8), LEGACY_ROWS)
    refused = set(rng.sample(range(LEGACY_ROWS), REFUSED))
    with (SAMPLES / "legacy_cards.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(["contact_identifier_value", "contact_uuid", "contact_identifier_name", "issued", "till"])
        for i, number in enumerate(numbers):
            contact = rng.choice(contacts) if rng.random() < 0.6 else ""
            if i in refused:
                contact = f"00000000-0000-4000-8000-{i:012d}"
            issued = f"{rng.randint(1, 28):02d}-{rng.randint(1, 12):02d}-{rng.randint(2009, 2023)}"
            name = rng.choice(["Klantenkaart", "Club card", ""])
            writer.writerow([f"{number:010d}", contact, name, issued, f"kassa {rng.randint(1, 4)}"])


FIRST_NAMES = ("Anna", "Bram", "Zoë", "Chloé", "Jürgen", "Daan", "Eva", "Noël", "Fleur", "Gijs", "Anaïs", "Søren")
LAST_NAMES = ("de Wit", "van Dijk", "Müller", "Bakker", "Visser", "d'Ancona", "Smit", "Groß", "Op 't Veld", "Crêpin")


def till(folder: Path = SAMPLES) -> None:
    """What a till in the Netherlands exports: a title above the header, Windows letters, semicolons, decimal commas,
    J and N, a total at the end; in between what people have typed in twenty years.
    """
    rng = random.Random(1997)
    rows = []
    for i, number in enumerate(rng.sample(range(10**7, 10**9), TILL_ROWS)):
        mail = f"klant{i:04d}@example.test" if rng.random() < 0.8 else ""
        cents = rng.choice([0, 0, 50, 100, 250, 1250, 99_900, 125_050]) if mail else 0
        points = f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02d}"
        name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
        active = "N" if rng.random() < 0.05 else "J"
        visit = f"{rng.randint(1, 28):02d}-{rng.randint(1, 12):02d}-{rng.randint(2015, 2026)}"
        rows.append([f"{number:010d}", name, mail, points, active, visit, f"kassa {rng.randint(1, 4)}"])
    for i in range(300, 310):  # a second card of the same customer
        rows[i][2:4] = [next(row[2] for row in rows[i - 100 :] if row[2]), ""]
    for i in (400, 1200, 2400):  # a card that is listed twice, under two customers
        rows[i][0] = rows[i - 37][0]
    for i in (77, 1500, 1501):
        rows[i][0] += " "
    for i in (2200, 2201):  # a spreadsheet was there
        rows[i][0] = rows[i][0].removeprefix("0")[:8]
    for i in (900, 901):
        rows[i][2] = "n.v.t."
    rows[600][0] += "\xa0"
    rows[1000][2], rows[1001][2] = "jan@bakker", "piet.nl"
    rows[2000][0], rows[2100][0] = "8,33278E+08", ""
    total = sum(int(row[3].replace(".", "").replace(",", "")) for row in rows if row[3])
    with (folder / "kassa-export.csv").open("w", newline="", encoding="cp1252") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(["Klantenkaarten Kaashandel Zoë, per 27-11-2026", *[""] * 6])
        writer.writerow(["Kaartnr.", "Naam klant", "E-mailadres", "Spaarpunten", "Actief", "Laatste bezoek", "Kassa"])
        writer.writerows(rows)
        euros = f"{total // 100:,}".replace(",", ".") + f",{total % 100:02d}"
        writer.writerow(["Totaal", f"{TILL_ROWS:,}".replace(",", ".") + " klanten", "", euros, "", "", ""])


def main() -> None:
    """Write them all."""
    contacts, programs, cards, shop = world()
    SAMPLES.mkdir(exist_ok=True)
    legacy(contacts)
    till()
    values = [f"{number:08d}" for number in range(120, 140)]
    write("identifiers-find", ["contact_identifier_value"], [[v] for v in values])
    write(
        "identifiers-create",
        ["contact_identifier_value", "contact_uuid", "contact_identifier_name"],
        [[v, contacts[i] if i % 2 else "", "Club card" if i % 3 else ""] for i, v in enumerate(values)],
    )
    write(
        "identifiers-link",
        ["contact_identifier_value", "contact_uuid"],
        [[v, contacts[i]] for i, v in enumerate(values) if i % 2 == 0],
    )
    write(
        "identifiers-unlink",
        ["contact_identifier_value", "expected_contact_uuid"],
        [[v, contacts[i] if i % 2 else "none" if i % 4 else ""] for i, v in enumerate(values)],
    )
    write(
        "identifiers-update",
        ["contact_identifier_value", "contact_identifier_name", "contact_identifier_active"],
        [[v, f"Card {i}", "false" if i % 5 == 0 else "true"] for i, v in enumerate(values)],
    )
    write("identifiers-delete", ["contact_identifier_value", "reason"], [[v, "left"] for v in values])
    write("giftcards-get", ["giftcard_uuid"], [[uuid] for uuid, _ in cards[:20]])
    write("giftcards-find", ["hash"], [[code] for _, code in cards[:20]])
    write("giftcards-create", ["giftcard_program_uuid", "order"], [[programs[0], f"order {i}"] for i in range(1, 21)])
    write(
        "giftcards-load",
        ["giftcard_uuid", "amount_in_cents", "shop_uuid"],
        [[uuid, "1000", shop] for uuid, _ in cards[:5]],
    )
    write(
        "giftcards-send",
        ["giftcard_uuid", "contact_uuid", "custom.message"],
        [[cards[i][0], contacts[i], f"Thank you, number {i}"] for i in range(20)],
    )


if __name__ == "__main__":
    main()
