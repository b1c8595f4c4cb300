"""Health of one part of Airflow, as its API server knows it from the part's heartbeat: health.py scheduler."""

import json
import sys
import urllib.request

ADDRESS = "http://{host}:8080/api/v2/monitor/health"

if __name__ == "__main__":
    part, host = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "airflow-api-server"
    with urllib.request.urlopen(ADDRESS.format(host=host), timeout=5) as answer:  # noqa: S310  (http, own network)
        sys.exit(json.load(answer)[part]["status"] != "healthy")
