"""The way the published print script works, written anew from its description, as a peer to measure against.

Every 5 s: a token and all printers of this host, whole; when their counters tell of work, a token and all waiting jobs with
their PDFs in one list. For each job a token and a PATCH to Printing, then a
thread that writes the PDF to a temporary file, has a shell print it with ``lp``, gets a token once more and PATCHes to
Printed. No journal, no ``$select``, no kept connection; "Printed" means: ``lp`` took it.

Only what costs calls, bytes, time and memory is here; its faults (dies of a 409, of a printer's name ...) are not.

``print_peer.py ODATA_URL TOKEN_URL CLIENT_ID SECRET HOST CUPS POLL``
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ODATA, TOKEN_URL, CLIENT, SECRET, HOST, CUPS, POLL = sys.argv[1:8]
SCOPE = "https://api.businesscentral.dynamics.com/.default"


def token() -> str:
    """Ask for a token, as before every call."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": SCOPE}
    with urllib.request.urlopen(TOKEN_URL, urllib.parse.urlencode(form).encode()) as answer:
        return str(json.load(answer)["access_token"])


def call(method: str, path: str, body: dict[str, str] | None = None, tag: str = "") -> Any:
    """Make one OData call."""
    headers = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json", "Accept-Language": "en-US"}
    if tag:
        headers["If-Match"] = tag
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(ODATA + path, data, headers, method=method)) as answer:
        return json.load(answer)


def work(job: dict[str, Any], tag: str) -> None:
    """Print one job and report it."""
    with tempfile.NamedTemporaryFile(suffix=".pdf", delete=False) as file:
        file.write(base64.b64decode(job["PDFPrintJobBASE64"]))
    os.system(f'lp -h {CUPS} -d "{job["PrinterID"]}" "{file.name}" >/dev/null')
    Path(file.name).unlink()
    call("PATCH", f"PIPrintQueueWS({job['RowNo']})", {"Status": "Printed"}, tag)


def main() -> None:
    """Ask, claim, hand to threads, sleep; for ever."""
    ours = urllib.parse.quote(f"HostID eq '{HOST}'")
    waiting = urllib.parse.quote(f"HostID eq '{HOST}' and Status eq 'Queued'")
    while True:
        printers = call("GET", f"PIPrintPrinterWS?$filter={ours}")["value"]
        work_there = sum(printer["NoQueued"] for printer in printers)
        for job in call("GET", f"PIPrintQueueWS?$filter={waiting}")["value"] if work_there else ():
            claimed = call("PATCH", f"PIPrintQueueWS({job['RowNo']})", {"Status": "Printing"}, job["@odata.etag"])
            threading.Thread(target=work, args=(job, claimed["@odata.etag"])).start()
        time.sleep(float(POLL))


if __name__ == "__main__":
    main()
