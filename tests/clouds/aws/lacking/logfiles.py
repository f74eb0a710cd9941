# SPDX-License-Identifier: Apache-2.0
"""`rds:DownloadDBLogFilePortion` in portions, as RDS does it: a marker leads to the next."""

from tests.clouds.aws.lacking import Answer, Asked

LINES = [f"2026-11-26 10:00:0{number} UTC:LOG: connection {number}\n" for number in range(5)]
"""What every log file holds."""
AT_ONCE = 2
SPACE = 'xmlns="http://rds.amazonaws.com/doc/2014-10-31/"'


def portion(asked: Asked) -> Answer:
    """Some lines, and where to go on."""
    marker = asked.form.get("Marker", [""])[0]
    first = int(marker.rpartition(":")[2] or 0)
    data = "".join(LINES[first : first + AT_ONCE])
    more = bool(LINES[first + AT_ONCE :])
    inner = (
        f"<LogFileData>{data}</LogFileData><Marker>1:{first + AT_ONCE}</Marker>"
        f"<AdditionalDataPending>{str(more).lower()}</AdditionalDataPending>"
    )
    name = "DownloadDBLogFilePortion"
    body = f"<{name}Response {SPACE}><{name}Result>{inner}</{name}Result></{name}Response>"
    return Answer(body, kind="text/xml")


ANSWERS = {"rds:DownloadDBLogFilePortion": portion}
