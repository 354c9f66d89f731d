"""Who may connect to the generated broker, and who may say and read what there."""

import shutil
import socket
import ssl
import time

import pytest

from device.edges import Room
from device.report import arrivals
from device.report.broker import Broker
from device.report.mqtt import MqttPublisher
from device.report.publisher import What
from device.report.tls import TlsFiles
from provisioning.certificates import new_authority, new_key
from tests.support.room_process import room_process, short_root, write_config
from tests.support.site import DAY_S, HOST, Party, Site, Told, context_of

DOOR, OTHER = "00112233445566ff", "ffeeddccbbaa9988"
REPORT = f"doorward/{DOOR}/report"
DOCUMENTS, OTHERS = arrivals.topic(DOOR), arrivals.topic(OTHER)


def joined(site: Site) -> bool:
    """Whether the broker let anybody in."""
    return "New client connected" in site.log


def test_a_door_with_its_certificate_reports_and_gets_documents(site: Site) -> None:
    with site.manager() as manager, site.publisher(DOOR) as door:
        door.until(What.CONNECTED)
        assert door.publisher.publish(1, REPORT, b"well")
        assert door.until(What.ACCEPTED).row == 1
        manager.wait(lambda: (REPORT, b"well") in manager.heard)
        assert manager.say(DOCUMENTS, b"sealed") == "Success"
        assert door.until(What.DOCUMENT).content == b"sealed"
        assert (f"doorward/{DOOR}/availability", b"online") in manager.heard


def test_without_a_certificate_nobody_comes_in(site: Site) -> None:
    with site.publisher(DOOR, lambda: context_of(site.authority.pem)) as door:
        assert "certificate required" in door.until(What.LOST, What.CONNECTED).why
    assert not joined(site)


def test_another_authority_s_certificate_is_refused_and_told(site: Site) -> None:
    stranger = new_authority(new_key(), site.began_unix)
    files = TlsFiles(site.door_files(DOOR, authority=stranger), DOOR)
    with site.publisher(DOOR, files.context) as door:
        assert "unknown ca" in door.until(What.LOST, What.CONNECTED).why
    assert not joined(site)


def test_an_expired_certificate_is_refused_and_told(site: Site) -> None:
    old = new_authority(site.authority.key, site.began_unix - 9 * DAY_S)  # the same key: the chain itself is sound
    files = TlsFiles(site.door_files(DOOR, authority=old, now_unix=site.began_unix - 5 * DAY_S, days=1), DOOR)
    assert not files.lasts(time.time())
    with site.publisher(DOOR, files.context) as door:
        assert "certificate expired" in door.until(What.LOST, What.CONNECTED).why
    assert not joined(site)


def test_another_door_s_certificate_is_not_used_and_told(site: Site) -> None:
    files = TlsFiles(site.door_files(DOOR, named=OTHER), DOOR)
    with site.publisher(DOOR, files.context) as door:
        assert f"is not the certificate of the door {DOOR}" in door.until(What.LOST, What.CONNECTED).why
    assert not joined(site)


def test_a_broker_s_own_certificate_lets_nobody_log_in(site: Site) -> None:
    stolen = context_of(site.authority.pem, site.folder / "broker.pem", site.folder / "broker.key")
    with site.publisher(DOOR, lambda: stolen) as door:
        assert "TLS failed" in door.until(What.LOST, What.CONNECTED).why
    assert not joined(site)


def test_tls_1_2_is_refused_by_the_broker(site: Site) -> None:
    folder = site.door_files(DOOR)
    older = context_of(site.authority.pem, folder / "door.pem", folder / "door.key")
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with site.publisher(DOOR, lambda: older) as door:
        assert "protocol version" in door.until(What.LOST, What.CONNECTED).why
    assert not joined(site)


def test_tls_1_2_is_refused_by_the_door(unstarted: Site) -> None:
    unstarted.configure()
    older = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    older.load_cert_chain(unstarted.folder / "broker.pem", unstarted.folder / "broker.key")
    with socket.create_server((HOST, unstarted.port)) as listener, unstarted.publisher(DOOR) as door:
        listener.settimeout(20)
        peer, _ = listener.accept()
        with pytest.raises(ssl.SSLError, match="unsupported protocol"), peer:
            older.wrap_socket(peer, server_side=True)
        assert "protocol version" in door.until(What.LOST, What.CONNECTED).why


def test_plain_mqtt_on_the_tls_port_gets_no_answer(site: Site) -> None:
    publisher = MqttPublisher(DOOR, Broker(HOST, site.port), chance=lambda: 0.0)
    publisher.start()
    ends = time.monotonic() + 20
    told: list[What] = []
    while not told and time.monotonic() < ends:
        told += [event.what for event in publisher.events()]
        time.sleep(0.01)
    publisher.stop()
    assert What.CONNECTED not in told
    assert What.LOST in told
    assert not joined(site)


def test_a_broker_without_tls_is_left_by_the_door_before_a_word_is_said(unstarted: Site) -> None:
    unstarted.configure()
    with socket.create_server((HOST, unstarted.port)) as plain, unstarted.publisher(DOOR) as door:
        plain.settimeout(20)
        peer, _ = plain.accept()
        with peer:
            hello = peer.recv(4096)
            assert DOOR.encode() not in hello
            peer.sendall(bytes((0x20, 3, 0, 0, 0)))  # "connected", in plain MQTT
            assert "TLS failed" in door.until(What.LOST, What.CONNECTED).why


@pytest.mark.parametrize("checked", [True, False], ids=["as-built", "seeded-fault"])
def test_a_broker_by_another_name_is_refused_and_told(unstarted: Site, checked: bool) -> None:
    unstarted.configure(names=("broker.example",))
    unstarted.start()
    files = TlsFiles(unstarted.door_files(DOOR), DOOR)

    def careless() -> ssl.SSLContext:
        context = files.context()
        context.check_hostname = False
        return context

    with unstarted.publisher(DOOR, files.context if checked else careless) as door:
        event = door.until(What.LOST, What.CONNECTED)
    assert event.what is (What.LOST if checked else What.CONNECTED)
    assert not checked or "the broker's certificate is not accepted: ip address mismatch" in event.why


def test_a_broker_of_another_fleet_is_refused_and_told(unstarted: Site) -> None:
    unstarted.configure(authority=new_authority(new_key(), unstarted.began_unix))
    unstarted.start()
    with unstarted.publisher(DOOR) as door:
        assert "the broker's certificate is not accepted" in door.until(What.LOST, What.CONNECTED).why
    assert not joined(unstarted)


def test_a_door_of_the_fleet_cannot_play_the_broker(unstarted: Site) -> None:
    unstarted.configure()
    stolen = unstarted.door_files(OTHER)
    for ours, theirs in (("broker.pem", "door.pem"), ("broker.key", "door.key")):
        (unstarted.folder / ours).write_bytes((stolen / theirs).read_bytes())
    unstarted.start()
    with unstarted.publisher(DOOR) as door:
        assert "the broker's certificate is not accepted" in door.until(What.LOST, What.CONNECTED).why


@pytest.mark.parametrize("by_name", [True, False], ids=["as-built", "seeded-fault"])
@pytest.mark.parametrize("ending", ["report", "alarm", "availability", "document", "certificate"])
def test_a_door_says_nothing_in_another_one_s_name(unstarted: Site, ending: str, by_name: bool) -> None:
    unstarted.configure()
    if not by_name:
        unstarted.change("acl", "doorward/%u/", "doorward/+/")
        unstarted.change("acl", "pattern read", "pattern readwrite")
    unstarted.start()
    with unstarted.publisher(DOOR) as door:
        door.until(What.CONNECTED)
        assert door.publisher.publish(1, f"doorward/{OTHER}/{ending}", b"forged")
        assert door.until(What.ACCEPTED, What.DECLINED).what is (What.DECLINED if by_name else What.ACCEPTED)


@pytest.mark.parametrize("topic", [OTHERS, "#", "doorward/#", f"doorward/{OTHER}/report"])
def test_a_door_reads_nothing_that_is_another_one_s(site: Site, topic: str) -> None:
    folder = site.door_files(DOOR)
    spy = Party(site, context_of(site.authority.pem, folder / "door.pem", folder / "door.key"), topic)
    with site.manager() as manager, spy, site.publisher(OTHER) as other:
        other.until(What.CONNECTED)
        other.publisher.publish(1, f"doorward/{OTHER}/report", b"well")
        other.until(What.ACCEPTED)
        assert manager.say(OTHERS, b"sealed") == "Success"
        assert other.until(What.DOCUMENT).content == b"sealed"
        spy.listen(DOCUMENTS)
        manager.say(DOCUMENTS, b"mine")
        spy.wait(lambda: bool(spy.heard))
        assert {content for _, content in spy.heard} == {b"mine"}


def test_the_test_sees_rights_without_a_name(unstarted: Site) -> None:
    """The seeded fault: with `+` instead of `%u` every door reads every door's documents."""
    unstarted.configure()
    unstarted.change("acl", "pattern read doorward/%u/", "pattern read doorward/+/")
    unstarted.start()
    folder = unstarted.door_files(DOOR)
    spy = Party(unstarted, context_of(unstarted.authority.pem, folder / "door.pem", folder / "door.key"), OTHERS)
    with unstarted.manager() as manager, spy:
        manager.say(OTHERS, b"sealed")
        spy.wait(lambda: spy.heard == [(OTHERS, b"sealed")])


def test_another_door_s_client_id_takes_nobody_s_place(site: Site) -> None:
    folder = site.door_files(OTHER)
    with site.manager() as manager, site.publisher(DOOR) as door:
        door.until(What.CONNECTED)
        thief = Party(
            site, context_of(site.authority.pem, folder / "door.pem", folder / "door.key"), DOCUMENTS, client_id=DOOR
        )
        with thief:
            manager.say(DOCUMENTS, b"sealed")
            assert door.until(What.DOCUMENT, What.LOST).content == b"sealed"
            assert thief.heard == []


@pytest.mark.parametrize("topic", [REPORT, f"doorward/{DOOR}/availability", f"doorward/{DOOR}/alarm", "elsewhere"])
def test_a_manager_speaks_to_doors_and_not_for_them(site: Site, topic: str) -> None:
    with site.manager() as manager:
        assert manager.say(topic, b"forged") == "Not authorized"
        assert manager.say(f"doorward/{DOOR}/certificate", b"renewed") != "Not authorized"


def test_a_manager_whom_the_broker_does_not_know_has_no_rights(site: Site) -> None:
    pair = site.authority.issue_manager("visitor", 1, site.began_unix)
    for name, content in (("pem", pair.issued.pem), ("key", pair.key_pem)):
        (site.root / name).write_bytes(content)
    with Party(site, context_of(site.authority.pem, site.root / "pem", site.root / "key"), "#") as visitor:
        assert visitor.say(DOCUMENTS, b"sealed") == "Not authorized"


def test_what_is_longer_than_a_document_does_not_reach_lock(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with site.manager() as manager, site.publisher(DOOR) as door:
        door.until(What.CONNECTED)
        for content in (b"x" * 4096, b"x" * 4097, b"x" * 6000, b"last"):
            assert manager.say(DOCUMENTS, content) == "Success"
        while b"last" not in door.documents:
            door.until(What.DOCUMENT)
        assert door.documents == [b"x" * 4096, b"last"]
    assert "a document holds 1 to 4096 bytes" in capsys.readouterr().err


def test_a_packet_beyond_the_broker_s_limit_ends_the_sender_s_connection(site: Site) -> None:
    with site.publisher(DOOR) as door, site.manager() as manager:
        door.until(What.CONNECTED)
        manager._client.publish(DOCUMENTS, b"x" * 9000, qos=1)
        manager.wait(lambda: bool(manager.ends))
        assert door.publisher.events() == []


def test_a_retained_document_is_refused_by_the_door_now_and_later(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    with site.manager() as manager:
        for content in (b"first", b"second"):
            with site.publisher(DOOR) as door:
                door.until(What.CONNECTED)
                manager.say(DOCUMENTS, b"retained " + content, retain=True)
                manager.say(DOCUMENTS, content)
                assert door.until(What.DOCUMENT).content == content
    assert capsys.readouterr().err.count("a retained message is no document") == 2


def test_a_document_waits_for_a_door_over_a_restart_of_the_broker_and_comes_once(site: Site) -> None:
    with site.publisher(DOOR) as door:
        door.until(What.CONNECTED)
    with site.manager() as manager:
        manager.say(DOCUMENTS, b"waited")
    site.stop()
    site.start()
    with site.manager() as manager, Told(DOOR, site.port, TlsFiles(site.door_files(DOOR), DOOR).context) as door:
        door.until(What.CONNECTED)
        manager.say(DOCUMENTS, b"after")
        while b"after" not in door.documents:
            door.until(What.DOCUMENT)
    with site.publisher(DOOR) as again, site.manager() as manager:
        again.until(What.CONNECTED)
        manager.say(DOCUMENTS, b"later")
        while b"later" not in again.documents:
            again.until(What.DOCUMENT)
    assert (door.documents, again.documents) == ([b"waited", b"after"], [b"later"])


def test_files_that_appear_later_are_used_and_what_was_missing_was_told(site: Site) -> None:
    folder = site.door_files(DOOR)
    (folder / "door.key").rename(folder / "elsewhere")
    with site.publisher(DOOR, TlsFiles(folder, DOOR).context) as door:
        why = door.until(What.LOST, What.CONNECTED).why
        assert why.endswith("door.key cannot be read: No such file or directory")
        assert door.publisher.alive()
        (folder / "elsewhere").rename(folder / "door.key")
        door.until(What.CONNECTED)


def test_every_option_is_accepted_by_the_real_program(site: Site) -> None:
    lines = site.log.splitlines()
    assert not [line for line in lines if "Error" in line or "Unknown" in line or "Warning" in line]


def test_report_as_a_process_speaks_tls_and_works_on_while_files_are_missing(site: Site) -> None:
    with short_root() as root, site.manager() as manager:
        write_config(root, f'[report]\nbroker = "mqtts://{HOST}:{site.port}"\ncadence_s = 1\n')
        with room_process(Room.REPORT, root) as room:
            ends = time.monotonic() + 20
            while "ca.pem cannot be read" not in room.stderr and time.monotonic() < ends:
                time.sleep(0.05)
            assert room.stderr.count("ca.pem cannot be read: No such file or directory") == 1
            shutil.copytree(site.door_files(DOOR), room.paths.state(Room.REPORT) / "tls")
            ends = time.monotonic() + 60
            while not any(topic == REPORT for topic, _ in manager.heard) and time.monotonic() < ends:
                time.sleep(0.05)
            assert {len(content) for topic, content in manager.heard if topic == REPORT} == {384}
