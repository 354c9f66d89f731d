"""The files that make Mosquitto a broker for a fleet: who may connect, and who may say or read what.

Rules kept here:
- Nobody without a certificate of the fleet, and nothing older than TLS 1.3. Who a client is follows from its
  certificate alone: name and session are taken from it, so that no door can take another one's place.
- A door writes below its own id and reads what is addressed to it; a manager reads what doors say and writes documents
  and certificates to them. Nobody else has rights, and doors know nothing of each other.
- A certificate that was revoked lets nobody in, and ends no later than the broker has the list that says so. That list
  has an end of its own, with the broker's certificate: afterwards nobody comes in at all.
- Everything has a bound: packets, queues, sessions. A door that is taken over can fill its own queue, not the disk.
- Doors that join have no certificate yet. They are let in by a Mosquitto of its own, which keeps nothing on disk: a
  client's name counts at every port of a program, and a stranger could end a door's session by its name.

Every option is one of Mosquitto 2.0 (mosquitto.conf(5)); tests start 2.0.11, Debian 12's, from these very texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from provisioning import files
from provisioning.errors import FleetRefused

if TYPE_CHECKING:
    from provisioning.certificates import Authority, Issued
    from provisioning.store import Revoked

PORT = 8883  # IANA: secure-mqtt
CLAIM_PORT = 8884  # the one after it is the managers'
CONFIG, RIGHTS, CA, CERTIFICATE, KEY = "mosquitto.conf", "acl", "ca.pem", "broker.pem", "broker.key"
REVOKED = "revoked.pem"
CLAIM_CONFIG, CLAIM_RIGHTS, CLAIM_MANAGERS = "claim.conf", "claim-doors.acl", "claim-managers.acl"
CLAIM_MEMORY = 33_554_432
"""Bytes. A request takes about 500, kept for its door; beyond this limit Mosquitto takes no more, and works on."""
FEW_DOORS = 500
_QUEUED_A_DOOR = 20
_QUEUED_BYTES = 1024  # a report has 384 bytes and its topic; a document 4096 at most, and few of them wait
LONGEST_PACKET = 8192
"""A document of 4096 bytes with twice the room it needs; reports and alarms have 384."""
_AT, _DATA = PurePosixPath("/etc/mosquitto/doorward"), PurePosixPath("/var/lib/mosquitto")  # as Debian has them
_ADDRESS = re.compile(r"[0-9A-Za-z][0-9A-Za-z.:-]*|")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files will lie on the broker's machine, where it may keep what it stores, and where it listens.

    `claim_port`: where doors join, the port after it being for managers who approve them; 0: doors join by file.
    `doors`: how many it is to serve; a restart and a morning of reports of all of them wait for a manager who is away.
    """

    at: PurePosixPath = _AT
    data: PurePosixPath = _DATA
    port: int = PORT
    address: str = ""  # every one of the machine's
    claim_port: int = 0
    doors: int = FEW_DOORS

    @property
    def queued(self) -> int:
        """Messages that may wait for one client. 10,000 doors lost some with a bound of one a door (docs/scale.md)."""
        return _QUEUED_A_DOOR * max(self.doors, FEW_DOORS)

    def __post_init__(self) -> None:
        for path in (self.at, self.data):
            if not path.is_absolute() or not str(path).isprintable():
                msg = f"{str(path)!r} is no place on the broker's machine; name it from the root on"
                raise FleetRefused(msg)
        if not _ADDRESS.fullmatch(self.address):
            msg = f"{self.address!r} is no address to listen on"
            raise FleetRefused(msg)
        if self.claim_port and self.port in (self.claim_port, self.claim_port + 1):
            msg = f"doors join at {self.claim_port} and managers approve at {self.claim_port + 1}: choose another port"
            raise FleetRefused(msg)


def write(
    folder: Path,
    place: Place,
    authority: Authority,
    names: Sequence[str],
    managers: Sequence[str],
    days: int,
    now: int,
    revoked: Sequence[Revoked] = (),
) -> Issued:
    """Write the files for a broker that is reached by `names` into `folder`; `now` in seconds since 1970.

    Its certificate, and the list of those that are `revoked`, last `days` days. Raises FleetRefused, also if one of the
    files is there already, or FleetFault.
    """
    rights, approvers = acl(managers), claim_managers(managers)
    pair = authority.issue_broker(names, days, now)
    listed = authority.list_revoked(revoked, days, now)
    files.make_folder(folder)
    files.create(folder / KEY, pair.key_pem)
    files.create(folder / CERTIFICATE, pair.issued.pem)
    files.create(folder / CA, authority.pem)
    files.create(folder / REVOKED, listed.pem)
    files.create(folder / RIGHTS, rights.encode())
    if place.claim_port:
        files.create(folder / CLAIM_RIGHTS, claim_doors().encode())
        files.create(folder / CLAIM_MANAGERS, approvers.encode())
        files.create(folder / CLAIM_CONFIG, claim_config(place).encode())
    files.create(folder / CONFIG, config(place).encode())
    return pair.issued


def config(place: Place) -> str:
    """The text of mosquitto.conf."""
    at = place.at
    listener = f"{place.port} {place.address}".rstrip()
    return f"""\
# Mosquitto for the doors of a Doorward fleet; written by `doorward broker config`.
#
# The files beside this one belong into {at}, readable for the user that
# Mosquitto becomes, and for nobody else, since one of them is a key:
#
#   chown -R mosquitto: {at} && chmod 700 {at}
#   mosquitto -c {at / CONFIG}
#
# Who is who follows from certificates of the fleet's own authority; the rights stand in {RIGHTS}. After a change of
# that file, of the certificate or of {REVOKED}: kill -HUP. Whoever was revoked while connected stays so until a
# restart. What a broker sees of a door, and what it does not: docs/broker.md.

listener {listener}
protocol mqtt
tls_version tlsv1.3
cafile {at / CA}
crlfile {at / REVOKED}
certfile {at / CERTIFICATE}
keyfile {at / KEY}

# The common name of the certificate is user name and client id: nobody takes another one's name, rights or session.
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
allow_zero_length_clientid false
acl_file {at / RIGHTS}

# A document has at most 4096 bytes. This limit is told to every client; a longer packet ends its connection. There is
# no message_size_limit beside it: Mosquitto 2.0 answers with a code that MQTT has not for it, and clients try for ever.
max_packet_size {LONGEST_PACKET}
max_topic_alias 0

# What waits for somebody who is away: 20 messages a door, for {place.queued // _QUEUED_A_DOOR} doors.
# Each writes every quarter of an hour, and twice more after a restart of the broker: whoever is away for longer than
# five hours, or has more doors, loses some. Documents wait as long as they must.
max_inflight_messages 20
max_queued_messages {place.queued}
max_queued_bytes {place.queued * _QUEUED_BYTES}
persistent_client_expiration 35d

# Doors ask for a ping about every ten minutes.
max_keepalive 1200

# Documents for doors that are away survive a restart; a power cut costs those of the last minute.
persistence true
persistence_location {str(place.data).rstrip("/")}/
autosave_interval 60

# A log of connections would be a diary of the doors' lines, not of people; who wants none takes the last line out.
sys_interval 0
log_dest stderr
log_type error
log_type warning
log_type notice
"""


def acl(managers: Sequence[str]) -> str:
    """The text of the rights. Raises FleetRefused for a name that is none."""
    from provisioning.certificates import manager  # with `cryptography`, which takes a while

    named = [manager(name) for name in managers]
    doors = """\
# Rights at the broker; %u is the common name of the client's certificate, which for a door is its id.
pattern write doorward/%u/report
pattern write doorward/%u/alarm
pattern write doorward/%u/availability
pattern write doorward/%u/state
pattern write doorward/%u/renew
pattern write homeassistant/device/doorward_%u/config
pattern read doorward/%u/document
pattern read doorward/%u/certificate
"""
    each = """
user {name}
topic read doorward/#
topic write doorward/+/document
topic write doorward/+/certificate
"""
    return doors + "".join(each.format(name=name) for name in named)


def claim_config(place: Place) -> str:
    """The text of claim.conf: a Mosquitto for doors that have no certificate yet, and for those who approve them."""
    at, address = place.at, place.address
    tls = f"""\
protocol mqtt
tls_version tlsv1.3
cafile {at / CA}
certfile {at / CERTIFICATE}
keyfile {at / KEY}
max_topic_alias 0
allow_zero_length_clientid false\
"""
    return f"""\
# Mosquitto for doors that join a Doorward fleet; written by `doorward broker config`.
#
# Run it beside the broker of mosquitto.conf, as a program of its own, while doors join:
#
#   mosquitto -c {at / CLAIM_CONFIG}
#
# Anybody who reaches the first port may connect. What passes here is public or proves itself: to listen, to forge or
# to fill it gains nobody a door, it only hinders doors from joining this way. They can still join by file.

per_listener_settings true

# Doors that join: nobody shows a certificate, each client sees the topics of its own name alone.
listener {f"{place.claim_port} {address}".rstrip()}
{tls}
allow_anonymous true
acl_file {at / CLAIM_RIGHTS}
max_connections 200

# Managers, by their certificates, as at the broker itself.
listener {f"{place.claim_port + 1} {address}".rstrip()}
{tls}
crlfile {at / REVOKED}
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {at / CLAIM_MANAGERS}

# Strangers write here: small packets, few, and nothing on the disk.
max_packet_size {LONGEST_PACKET}
max_inflight_messages 4
max_queued_messages 16
max_queued_bytes 65536
persistent_client_expiration 1h
max_keepalive 1200
memory_limit {CLAIM_MEMORY}
persistence false

sys_interval 0
log_dest stderr
log_type error
log_type warning
log_type notice
"""


def claim_doors() -> str:
    """The text of the rights of doors that join."""
    return """\
# Rights of doors that join; %c is the name a client gives itself, which for a door is its id.
pattern write doorward/claim/%c/request
pattern read doorward/claim/%c/answer
"""


def claim_managers(managers: Sequence[str]) -> str:
    """The text of the rights of those who approve doors. Raises FleetRefused for a name that is none."""
    from provisioning.certificates import manager  # as above

    each = """
user {name}
topic readwrite doorward/claim/+/request
topic write doorward/claim/+/answer
"""
    return "# Rights of managers where doors join.\n" + "".join(each.format(name=manager(name)) for name in managers)
