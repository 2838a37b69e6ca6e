"""Read tables with Termineter's library (c1218) in one session; runs in Termineter's environment, prints JSON.

Usage: read_with_termineter.py URL PASSWORD TABLE[/OFFSET/COUNT]...
"""

import json
import sys

from c1218.connection import Connection
from c1218.errors import C1218ReadTableError
from termineter.utilities import get_default_serial_settings


def main(url, password, *wanted):
    connection = Connection(
        url,
        c1218_settings={"pktsize": 64, "nbrpkts": 254},
        serial_settings=get_default_serial_settings(),
        enable_cache=False,
    )
    connection.start()
    if not connection.login("0000", 0, password.encode()):
        sys.exit("the meter refused the password")
    found = {}
    for each in wanted:
        table, *window = map(int, each.split("/"))
        try:
            if window:
                data = connection.get_table_data(table, octetcount=window[1], offset=window[0])
            else:
                data = connection.get_table_data(table)
            found[each] = data.hex()
        except C1218ReadTableError as error:
            found[each] = f"refused {error.code}"
    connection.stop()
    sys.stdout.write(json.dumps(found))


main(*sys.argv[1:])
