import ipaddress

import pytest

from crawler.addresses import AllowedHosts, ForbiddenAddress, is_public, parse_url
from crawler.outbound import Door

NOBODY = AllowedHosts.parse([])

# Every way we know of to write an address of our own machine or network, or of a cloud's inside.
INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://127.0.0.1:80/",
    "http://127.255.255.254/",
    "http://１２７.０.０.１/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://0/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://192.168.255.255/",
    "http://3232235521/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://100.127.255.255/",
    "http://168.63.129.16/",
    "http://192.0.0.8/",
    "http://192.0.0.192/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://198.51.100.7/",
    "http://203.0.113.7/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25lo]/",
    "http://[fe80::1%lo]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[5f00::1]/",
    "http://[100::1]/",
    "http://[::1]:80/",
]

NOT_FETCHED = [
    "",
    "   ",
    "no address",
    "//127.0.0.1/",
    "http:///path",
    "http://",
    "https://:443/",
    "http://public.test:22/",
    "http://public.test:8080/",
    "http://public.test:0/",
    "http://public.test:99999/",
    "http://public.test:80x/",
    "http://me@public.test/",
    "http://me:secret@public.test/",
    "http://public.test@127.0.0.1/",
    "http://127.0.0.1\\@public.test/",
    "http:\\\\127.0.0.1/",
    "http://public.test\r\nHost: inside/",
    "http://public.test/\r\nX: y",
    "http://public.test/\x00",
    "http://public.test /",
    "http://pub lic.test/",
    "http://public.test%00.inside/",
    "http://public.test%2e/",
    "http://" + "a" * 64 + ".test/",
    "http://" + "a." * 200 + "test/",
    "http://public.test/" + "a" * 9000,
    "http://[::1/",
    "http://[not-an-address]/",
    "http://[v1.x]/",
    "file:///etc/passwd",
    "gopher://public.test/",
    "ftp://public.test/",
    "dict://public.test/",
    "ldap://public.test/",
    "data:text/html,x",
    "javascript:alert(1)",
    "unix:///run/docker.sock",
    "jar:http://public.test/x.jar!/",
    "ws://public.test/",
]


@pytest.mark.parametrize("url", INSIDE)
def test_no_spelling_of_an_inside_address_is_let_through(url):
    with pytest.raises(ForbiddenAddress):
        Door().check_url(url)


@pytest.mark.parametrize("url", NOT_FETCHED)
def test_what_is_not_a_plain_web_address_is_refused_before_any_lookup(url):
    def resolve(host, port):
        raise AssertionError(f"{host} was looked up")

    with pytest.raises(ForbiddenAddress):
        Door(resolve=resolve).check_url(url)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "2400:3200::1"]
)
def test_public_addresses_are_let_through(address):
    assert is_public(ipaddress.ip_address(address))


def test_one_inside_address_among_public_ones_refuses_the_whole_name():
    door = Door(resolve=lambda host, port: ["8.8.8.8", "2606:4700::1111", "10.0.0.1"])

    with pytest.raises(ForbiddenAddress):
        door.check_url("https://mixed.test/")


def test_names_may_be_excepted_by_host_or_by_host_and_port():
    allowed = AllowedHosts.parse(["store.local", "localhost:9000", "[::1]:9000", " "])

    assert allowed.covers(parse_url("http://STORE.local./x", allowed))
    assert allowed.covers(parse_url("https://store.local/x", allowed))
    assert allowed.covers(parse_url("http://localhost:9000/x", allowed))
    assert allowed.covers(parse_url("http://[::1]:9000/x", allowed))
    assert not allowed.covers(parse_url("http://localhost/x", allowed))
    for url in ("http://store.local:9000/", "http://localhost:9001/"):
        with pytest.raises(ForbiddenAddress):
            parse_url(url, allowed)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://public.test", "/"),
        ("http://public.test/a b?c=d e#f", "/a%20b?c=d%20e"),
        ("http://public.test/猫?q=猫", "/%E7%8C%AB?q=%E7%8C%AB"),
        ("http://public.test/%E7%8C%AB/%2f", "/%E7%8C%AB/%2f"),
        ("http://public.test/a~b:1080:q75.jpeg?x-expires=1&sig=%3D", "/a~b:1080:q75.jpeg?x-expires=1&sig=%3D"),
    ],
)
def test_a_path_is_quoted_once_and_no_more(url, sent):
    assert parse_url(url, NOBODY).path == sent


def test_a_name_in_another_script_is_sent_in_ascii():
    assert parse_url("https://Bücher.example/", NOBODY).authority == "xn--bcher-kva.example"
