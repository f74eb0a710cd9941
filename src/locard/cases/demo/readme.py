# SPDX-License-Identifier: Apache-2.0
"""The text that lies beside the simulated evidence: what it is, the story, questions to try."""

from . import story
from .signing import Key


def text(key: Key, records: int, flows: int) -> str:
    """README.txt of the folder."""
    return f"""SIMULATED INCIDENT - written by Locard, not real evidence
=========================================================

Everything in this folder is invented: the company (Larkspur Outfitters), its people, the account
{story.ACCOUNT}, all addresses (ranges that RFC 5737 keeps for documentation) and all files. It is
written by a program with a fixed seed, so it is the same for everybody. Nothing in it can be run
to any effect.

WHAT IS HERE
  {story.TRAIL_BUCKET}/   CloudTrail as S3 delivers it, two regions, {records:,} records, and the
                                  digest files that carry the hashes of the logs
  simulated-flow-logs/            VPC flow logs, version 5, {flows:,} lines
  simulated-disk/                 the disk of {story.HOST} ({story.WEB}), a raw image

THE STORY (March 2026, all times UTC)
  10th 22:14     {story.INTRUDER} scans the web shop; its /api/preview fetches any address
  11th 01:12:07  it makes the shop ask the metadata service for the credentials of {story.WEB_ROLE}
  11th 01:13:40  the credentials ({story.STOLEN_KEY}) are used from outside: GetCallerIdentity,
                 ListBuckets, attempts that are refused, then 28 customer exports are taken
  11th 01:31:05  a forgotten policy lets the role create the user {story.BACK_DOOR}, with a key
                 ({story.BACK_DOOR_KEY}) and AdministratorAccess
  11th 01:43:20  from {story.INTRUDER_EXIT}: port 22 is opened, a key is planted by SSM SendCommand
  11th 01:44:12  StopLogging: the trail is blind
  11th 01:45:05  SSH as deploy, sudo to root
  11th 01:46:40  exports are copied from S3 to the host; 01:48:31 484 MB leave for {story.DROP}
  11th 01:50:31  a guard function starts the trail again
  11th 01:55:02  RunInstances in two regions, refused by the quota
  11th 01:58:44  a miner (a harmless script here) is put into /etc/cron.d; its times are faked
  11th 02:07:41  the script that took the exports is deleted
  11th 02:21:37  the new user signs in to the console without MFA
  11th 07:44:20  {story.TESS} starts to respond: key off 07:58, role sessions revoked 08:01,
                 instance isolated 08:06:12, disk snapshot 08:09:02
  11th 08:34     the stolen credentials are tried again and refused

QUESTIONS TO TRY
  Who used the stolen key, and from where?      session:{story.STOLEN_KEY}
  What did the intruder try in vain?            src_ip:{story.INTRUDER} AND outcome:failure
  What did the second address do?               src_ip:{story.INTRUDER_EXIT}
  Who turned the trail off and on?              action:(StopLogging OR StartLogging)
  What happened while it was off?               time:[2026-03-11T01:44:12 TO 2026-03-11T01:50:31]
  What left the machine?                        dst_ip:{story.DROP}
  Where does the miner's pool show up?          "{story.POOL}"
  What was deleted?                             ".s.sh"
  Which file has a birth later than its change? fontcached

THE DIGESTS
  CloudTrail signs digests with a key of AWS. These are signed with a key for show that follows from
  a fixed seed, so the signatures prove nothing. Fingerprint {key.fingerprint}, public key:
  {key.public}
"""
