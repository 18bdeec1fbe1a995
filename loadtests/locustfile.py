"""Locust scenario: many clients call one deployment with one key.

    BENCH_KEY=hr_… BENCH_DEPLOYMENT=fraud BENCH_BODY='{"inputs": […]}' \\
        .venv/bin/locust -f loadtests/locustfile.py --host http://127.0.0.1:8081 --headless -u 50 -r 10 -t 1m
"""

import os

from locust import FastHttpUser, constant, task


class Application(FastHttpUser):
    """One application that calls again as soon as it has its answer."""

    wait_time = constant(0)

    def on_start(self) -> None:
        self.path = f"/v2/models/{os.environ['BENCH_DEPLOYMENT']}/infer"
        self.body = os.environ["BENCH_BODY"]
        self.headers = {"Authorization": f"Bearer {os.environ['BENCH_KEY']}", "Content-Type": "application/json"}

    @task
    def infer(self) -> None:
        """One inference; Locust counts any status of 400 and above as a failure."""
        self.client.post(self.path, data=self.body, headers=self.headers)
