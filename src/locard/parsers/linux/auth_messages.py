# SPDX-License-Identifier: Apache-2.0
"""What messages of sshd, sudo, su, login, PAM, cron and the account tools say.

Each rule is a pattern and what it means. Names of its groups are columns, except `into_...`, which
become attributes. What no rule knows keeps its message alone.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from locard.parsers.addresses import address

SUCCESS, FAILURE = "success", "failure"


@dataclass(slots=True)
class Found:
    """Columns and further attributes of one message."""

    values: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Rule:
    programs: tuple[str, ...]
    """Programs that it is for; none means any."""
    pattern: re.Pattern[str]
    action: str
    outcome: str = ""


def _rule(programs: str, pattern: str, action: str, outcome: str = "") -> _Rule:
    return _Rule(tuple(programs.split()), re.compile(pattern, re.DOTALL), action, outcome)


_SSHD = "sshd sshd-session dropbear"
_CRON = "CRON cron crond crontab anacron"
_ACTOR, _RESOURCE = r"(?P<actor>\S+)", r"(?P<resource>\S+)"
_NAMED = r"name=(?P<resource>[^,\s]+)"
_ON = r"(?P<into_terminal>\S+)"
_ADDRESS = r"(?P<src>[0-9a-fA-F.:]+)"
_FROM = r"from (?P<src>\S+)(?: port (?P<src_port>\d+))?"
_DROPBEAR = r"from (?P<src>\S+):(?P<src_port>\d+)"
_AT = _ADDRESS + r" port (?P<src_port>\d+)"

# What stands before the last ` from ` is the name that the client gave, whatever it holds.
_RULES = (
    _rule(_SSHD, r"Accepted (?P<into_method>\S+) for (?P<actor>.*) " + _FROM
          + r"(?:\s+ssh2)?(?:: (?P<into_key>.*))?", "ssh login", SUCCESS),
    _rule(_SSHD, r"Failed (?P<into_method>\S+) for (?P<into_unknown_user>invalid user )?"
          r"(?P<actor>.*) " + _FROM, "ssh login", FAILURE),
    _rule(_SSHD, r"(?:Invalid|Illegal) user (?P<actor>.*?) ?" + _FROM + r"\s*\Z",
          "ssh invalid user", FAILURE),
    _rule(_SSHD, r"input_userauth_request: invalid user (?P<actor>.*?)(?: \[preauth\])?\Z",
          "ssh invalid user", FAILURE),
    _rule(_SSHD, r"error: maximum authentication attempts exceeded for (?:invalid user )?"
          r"(?P<actor>.*) " + _FROM, "ssh login", FAILURE),
    _rule(_SSHD, r"User (?P<actor>.*) from (?P<src>\S+) not allowed because (?P<into_reason>.*)",
          "ssh login", FAILURE),
    _rule(_SSHD, r"(?:Received disconnect|Connection) from (?P<src>[0-9a-fA-F.:]+?)"
          r"(?::(?= )| port (?P<src_port>\d+)).*", "ssh connection"),
    _rule(_SSHD, r"(?:Disconnected from|Disconnecting|Connection (?:closed|reset) by) "
          r"(?:(?:authenticating |invalid )?user (?P<actor>.*) )?" + _AT, "ssh disconnect"),
    _rule(_SSHD, r"Connection closed by " + _ADDRESS, "ssh disconnect"),
    _rule(_SSHD, r"Did not receive identification string " + _FROM, "ssh probe"),
    _rule(_SSHD, r"Bad protocol version identification (?P<into_said>.*) " + _FROM, "ssh probe"),
    _rule(_SSHD, r"(?:fatal: )?Unable to negotiate with " + _AT + r": (?P<into_reason>.*)",
          "ssh probe"),
    _rule(_SSHD, r"reverse mapping checking getaddrinfo for (?P<domain>\S+) \[(?P<src>[^\]]+)\]",
          "ssh reverse mapping failed"),
    _rule(_SSHD, r"Server listening on (?P<into_listen>\S+) port (?P<dst_port>\d+)", "ssh listen"),
    _rule("dropbear", r"(?P<into_method>(?:PAM p|P)assword|Pubkey) auth succeeded for "
          r"'(?P<actor>.*)' (?:with (?P<into_key>.*) )?" + _DROPBEAR, "ssh login", SUCCESS),
    _rule("dropbear", r"Bad (?P<into_method>(?:PAM )?password) attempt for '(?P<actor>.*)' "
          + _DROPBEAR, "ssh login", FAILURE),
    _rule("dropbear", "Login attempt for nonexistent user " + _DROPBEAR, "ssh invalid user",
          FAILURE),
    _rule("dropbear", "Child connection " + _DROPBEAR, "ssh connection"),
    _rule("dropbear", r"Exit \((?P<actor>.*)\) from <(?P<src>\S+):(?P<src_port>\d+)>",
          "ssh disconnect"),
    _rule("dropbear", r"Exit before auth from <(?P<src>\S+):(?P<src_port>\d+)>: "
          r"(?:\(user '(?P<actor>.*)', \d+ fails\))?", "ssh disconnect"),
    _rule("", r"pam_\w+\((?P<into_service>[^):]+):session\): session (?P<action>opened|closed) "
          r"for user (?P<actor>[^\s(]+)(?:\(uid=(?P<into_uid>\d+)\))?(?: by (?P<into_by>.*))?",
          "session"),
    _rule("", r"pam_\w+\((?P<into_service>[^):]+):auth\): (?:authentication failure|check pass)\b"
          r";?(?P<pairs>.*)", "authentication", FAILURE),
    _rule("", r"PAM \d+ more authentication failures?;(?P<pairs>.*)", "authentication", FAILURE),
    _rule("", r"(?:error: )?PAM: (?P<into_reason>.*?) for (?:illegal user )?(?P<actor>.*) "
          r"from (?P<src>\S+)", "authentication", FAILURE),
    _rule("sudo", r"\s*" + _ACTOR + r" : (?:(?P<refused>(?!TTY=|PWD=)[^;=]*?) ; )?"
          r"(?P<sudo>(?:TTY|PWD)=.*)", "sudo"),
    _rule("sudo", r"pam_unix\(sudo:auth\): conversation failed", "sudo", FAILURE),
    _rule("su", r"\(to " + _RESOURCE + r"\) " + _ACTOR + " on " + _ON, "su", SUCCESS),
    _rule("su", r"FAILED SU \(to " + _RESOURCE + r"\) " + _ACTOR + " on " + _ON, "su", FAILURE),
    _rule("su", r"\+ " + _ON + r" (?P<actor>[^:\s]+):" + _RESOURCE, "su", SUCCESS),
    _rule("su", r"- " + _ON + r" (?P<actor>[^:\s]+):" + _RESOURCE, "su", FAILURE),
    _rule("su", "Successful su for " + _RESOURCE + " by " + _ACTOR, "su", SUCCESS),
    _rule("su", "FAILED su for " + _RESOURCE + " by " + _ACTOR, "su", FAILURE),
    _rule("login", r"(?P<root>ROOT) LOGIN\s+on '(?P<into_terminal>[^']*)'"
          r"(?: from '(?P<src>[^']*)')?", "login", SUCCESS),
    _rule("login", r"LOGIN ON " + _ON + " BY " + _ACTOR + r"(?: FROM (?P<src>\S+))?", "login",
          SUCCESS),
    _rule("login", r"FAILED LOGIN \((?P<into_attempt>\d+)\) on '(?P<into_terminal>[^']*)'"
          r"(?: from '(?P<src>[^']*)')? FOR '(?P<actor>[^']*)'", "login", FAILURE),
    _rule("useradd", "new user: " + _NAMED + ", (?P<pairs>.*)", "user added", SUCCESS),
    _rule("useradd groupadd", "new group: " + _NAMED + ", (?P<pairs>.*)", "group added", SUCCESS),
    _rule("useradd usermod gpasswd", r"add '(?P<resource>[^']+)' to (?:shadow )?group "
          r"'(?P<into_group>[^']+)'", "user added to group", SUCCESS),
    _rule("usermod", r"change user '(?P<resource>[^']+)' (?P<into_change>.*)", "user changed",
          SUCCESS),
    _rule("userdel", r"delete user '(?P<resource>[^']+)'", "user deleted", SUCCESS),
    _rule("groupadd", r"group added to \S+ " + _NAMED, "group added", SUCCESS),
    _rule("passwd chpasswd", r".*password changed for " + _RESOURCE, "password changed", SUCCESS),
    _rule("systemd-logind", r"New session (?P<session>\S+) of user (?P<actor>[^.\s]+)\.?",
          "session opened", SUCCESS),
    _rule("systemd-logind", r"(?:Removed session|Session) (?P<session>\w+)(?:\.| logged out).*",
          "session closed"),
    _rule(_CRON, r"\((?P<actor>[^)]+)\) CMD \((?P<resource>.*?)\)+\Z", "cron command"),
    _rule(_CRON, r"\((?P<actor>[^)]+)\) (?P<into_crontab>LIST|REPLACE|BEGIN EDIT|END EDIT|DELETE"
          r"|RELOAD) \((?P<resource>.*)\)", "crontab"),
)  # fmt: skip
_LONGEST = 8192
"""Characters of a message that are looked at; what is longer was not written by these programs."""
_REPEATED = re.compile(r"message repeated (\d+) times: \[ ?(.*)\]\Z", re.DOTALL)
_PAIR = re.compile(r"([A-Za-z]+)=([^\s,;]*)")
_SUDO = re.compile(r"(TTY|PWD|USER|GROUP|CHROOT|TSID|ENV)=(.*?) ; ")


def read(program: str, message: str) -> Found:
    """What `message`, written by `program`, says: columns and attributes; often nothing."""
    found = Found()
    if match := _REPEATED.match(message[:_LONGEST]):
        found.attributes["repeated"] = match[1]
        message = match[2]
    message = message[:_LONGEST]
    name = program.rsplit("/", 1)[-1]
    for rule in _RULES:
        if rule.programs and name not in rule.programs:
            continue
        if match := rule.pattern.match(message):
            _fill(found, rule, match)
            break
    return found


def _fill(found: Found, rule: _Rule, match: re.Match[str]) -> None:
    values = found.values
    values["action"] = rule.action
    if rule.outcome:
        values["outcome"] = rule.outcome
    for name, value in match.groupdict().items():
        if value is None:
            continue
        if name == "src":
            _address(found, value)
        elif name in ("src_port", "dst_port"):
            values[name] = int(value) if int(value) < 65536 else 0
        elif name == "pairs":
            _pairs(found, value)
        elif name == "sudo":
            _sudo(found, value)
        elif name == "root":
            values["actor"] = "root"
        elif name == "refused":
            values["outcome"] = FAILURE
            found.attributes["reason"] = value.strip()
        elif name == "action":
            values["action"] = f"{rule.action} {value}"
        elif name.startswith("into_"):
            found.attributes[name[5:]] = value.strip()
        else:
            values[name] = value
    if rule.action == "sudo":
        values.setdefault("outcome", SUCCESS)
    if values.get("actor"):
        values["actor_kind"] = "user"


def _pairs(found: Found, value: str) -> None:
    for name, part in _PAIR.findall(value):
        if name == "rhost" and part:
            _address(found, part)
        elif name == "user" and part:
            found.values["actor"] = part
        elif part:
            found.attributes[name.lower()] = part


def _sudo(found: Found, value: str) -> None:
    fields, _, command = value.partition("COMMAND=")
    for name, part in _SUDO.findall(fields):
        if name == "USER":
            found.values["resource"] = part
        else:
            found.attributes[name.lower()] = part
    if command:
        found.values["process"] = command.split(" ", 1)[0]
        found.attributes["command"] = command


def _address(found: Found, value: str) -> None:
    """An address goes to `src_ip` in canonical form; a name goes to `domain`."""
    if known := address(value):
        found.values["src_ip"] = known
    else:
        found.values.setdefault("domain", value)
