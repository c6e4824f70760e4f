"""Sells what is ordered: each batch in one statement, acknowledged once that is committed."""

from __future__ import annotations

import os
import signal
import socket
import threading

import psycopg
import pulsar

SELL = """
WITH ordered AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS o("order" uuid, title text)
), sold AS (
    INSERT INTO sales (id, title, till) SELECT "order", title, %s FROM ordered ORDER BY 1
    ON CONFLICT DO NOTHING RETURNING title
)
INSERT INTO titles (title, sold) SELECT title, count(*) FROM sold GROUP BY title ORDER BY title
ON CONFLICT (title) DO UPDATE SET sold = titles.sold + excluded.sold
"""


def main() -> None:
    name = os.environ.get("ALPES_REPLICA") or socket.gethostname()
    closed = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: closed.set())
    bus = pulsar.Client(os.environ["BUS"])
    orders = bus.subscribe(
        "orders",
        "tills",
        consumer_type=pulsar.ConsumerType.Shared,
        initial_position=pulsar.InitialPosition.Earliest,
        batch_receive_policy=pulsar.ConsumerBatchReceivePolicy(500, -1, 50),
    )
    with psycopg.connect(os.environ["BOOKS"], autocommit=True) as connection:
        while not closed.is_set():
            batch = orders.batch_receive()
            if batch:
                told = f"[{','.join(order.data().decode() for order in batch)}]"
                connection.execute(SELL, (told, name))
            for order in batch:
                orders.acknowledge(order)
    bus.close()


if __name__ == "__main__":
    main()
