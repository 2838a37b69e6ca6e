"""What a gateway with one MEP meter, a broker, a history and a page must not load: it would stay in memory for years.

Python itself tells what is loaded (``-X importtime``), of a real process.
"""

import re
import subprocess
import sys

LOADED = re.compile(r"import time:\s+\d+ \|\s+\d+ \|\s+(\S+)")
PAGE_IS_OPEN = "page on "

UNUSED = {
    "the optical link": ("osgp.optical.session", "osgp.optical.services", "osgp.ports.optical_port"),
    "what M-Bus devices say": ("osgp.mbus.telegram", "osgp.mbus.codes.primary"),
    "the cipher of TLS": ("cryptography",),
    "the solar inverter": ("nes2mqtt.meters.production.keeper", "nes2mqtt.meters.production.store"),
    "bills and prices": (
        "nes2mqtt.bills.bill",
        "nes2mqtt.costs.calculation",
        "nes2mqtt.costs.config",
        "nes2mqtt.costs.contract",
        "nes2mqtt.prices.keeper",
    ),
    "alerts": ("nes2mqtt.alerts.config", "nes2mqtt.alerts.keeper", "nes2mqtt.alerts.words"),
    "Home Assistant's statistics": ("nes2mqtt.outputs.homeassistant.repair",),
    "the first run": ("nes2mqtt.setup.wizard", "nes2mqtt.setup.steps"),
    "the command line": ("nes2mqtt.cli", "typer", "click", "rich", "uvicorn.main"),
    "the simulated meter": ("osgp.simulator", "nes2mqtt.runtime.demo"),
    "the repair of a damaged history": ("nes2mqtt.history.database.salvage",),
    "tables for the curious": ("osgp.dissector.table_parts", "osgp.dissector.values"),
    "tables of values": (
        "pyarrow",
        "osgp.image",
        "nes2mqtt.history.queries.export",
        "nes2mqtt.history.importing.judge",
    ),
    "what libraries bring besides": (
        "importlib.metadata",
        "zipfile",
        "shutil",
        "tempfile",
        "configparser",
        "html",
        "http.client",
        "email.message",
        "email.utils",
        "fractions",
        "gzip",
        "mimetypes",
        "uuid",
        "uvicorn._types",
    ),
}


def test_a_gateway_comes_without_what_its_configuration_does_not_use(tmp_path):
    config = tmp_path / "nes2mqtt.toml"
    # Nobody listens on port 9: neither a meter nor a broker is needed for what is loaded.
    config.write_text(
        f'data_dir = "{tmp_path}"\ntimezone = "Europe/Vienna"\n'
        '[meters.house]\nport = "tcp://127.0.0.1:9"\nkey = "ABCDEFGHIJKLMNOPQRST"\n'
        '[[mqtt]]\nhost = "127.0.0.1"\nport = 9\n[mqtt.homeassistant]\n'
        '[web]\nlisten = "127.0.0.1:0"\n'
    )
    config.chmod(0o600)
    command = [sys.executable, "-X", "importtime", "-P", "-m", "nes2mqtt.runtime.service", str(config)]
    loaded = set()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if found := LOADED.match(line):
                loaded.add(found[1])
            elif PAGE_IS_OPEN in line:
                break
        process.terminate()
        process.stderr.read()
    assert {
        "nes2mqtt.outputs.web.app",
        "nes2mqtt.history.store",
        "nes2mqtt.outputs.mqtt.output",
        "osgp.meter",
    } <= loaded
    too_many = {what: more for what, names in UNUSED.items() if (more := loaded.intersection(names))}
    assert not too_many, "the gateway takes more memory"
