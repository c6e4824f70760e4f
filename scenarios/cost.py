"""What the post that the performance scenario's events are about costs: an affiliate, the post, one calculation.

`.venv/bin/python scenarios/cost.py` on a stack that is up. Ends with 1 if the service and SQL disagree.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).resolve().parent
POST = tomllib.loads((HERE / "performance.toml").read_text())["event"]["body"]["target_element_id"]
# Always the same affiliate and post, so that a second run finds them there.
AFFILIATE = "00000000-0000-4000-8000-000000000001"
PATIENCE_S = 60.0
# The rule once more, in numeric arithmetic: what the service calculated is compared with what the database does.
BY_SQL = """
    SELECT n, (1.00 + 0.05 * n) * CASE WHEN n >= 100 THEN 2.0 WHEN n >= 50 THEN 1.5 WHEN n >= 10 THEN 1.2 ELSE 1.0 END
    FROM (SELECT count(*) AS n FROM interactions WHERE target_element_id = %s) AS counted
"""


def addresses() -> dict[str, str]:
    """Where the stack answers, by title."""
    command = [Path(sys.executable).parent / "alpesctl", "addresses", "--json"]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return {each["title"]: each["url"] for each in json.loads(said)["data"]["addresses"]}


def send(url: str, body: object, key: str | None = None) -> Any:
    """Send a command until it is accepted."""
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=15) as answer:
        return json.load(answer)["trackingId"]


def await_(url: str, until: str = "") -> Any:
    """What is at an address once it is there, and has that status."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=15) as answer:
                found = json.load(answer)
            if found.get("status") == until or not until:
                return found
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
        if time.monotonic() > deadline:
            raise SystemExit(f"{url}: not there after {PATIENCE_S:g} s; alpesctl doctor says what is wrong")
        time.sleep(0.1)


def main() -> int:
    where = addresses()
    base, database = where["Affiliates, and their posts"], where["Tracking's database"]
    send(base, {"name": "Demo", "email": "demo@example.org", "program_id": "demo"}, AFFILIATE)
    send(f"{base}posts", {"title": "Demo", "content": "…", "affiliate_id": AFFILIATE, "brand_id": "demo"}, POST)
    await_(f"{base}posts/{POST}")
    calculations = f"{base}posts/{POST}/cost-calculations"
    found = await_(
        f"{calculations}/{send(calculations, {'start_date': '2000-01-01', 'end_date': '2999-12-31'})}", "calculated"
    )
    with psycopg.connect(database) as connection:
        ((counted, by_sql),) = connection.execute(BY_SQL, (POST,)).fetchall()
    same = Decimal(found["total_cost"]) == by_sql and found["interactions_count"] == counted
    print(
        f"The post {POST} costs {found['total_cost']}: ({found['base_cost']} + {found['interaction_cost']} × "
        f"{found['interactions_count']:,} interactions) × {found['engagement_multiplier']}"
    )
    print(f"SQL says {'the same' if same else 'otherwise'}: {counted:,} interactions, {by_sql}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
