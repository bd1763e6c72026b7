"""The Debian package under a real systemd: installed, started, asked, given a key, upgraded, removed, purged."""

import re
import shutil

import pytest
import stub
from conftest import System, debian, need, run

CONFIG = """listen: 127.0.0.1:8080   # changed by hand
state_dir: /var/lib/leeroo
experts:
  - name: stub
    url: http://127.0.0.1:9000/v1
    price: {input: 0.1, output: 0.2}
"""
QUESTION = '{"model": "leeroo", "messages": [{"role": "user", "content": "What is 17 * 23?"}]}'
STEPS = r"""
section() { printf '\n== %s\n' "$1"; }
files() { find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /root -o -path /dev \
    -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/systemd \) -prune -o -print | sort; }
ask() { curl -s -m 20 -w ' HTTP %{http_code}\n' "$@" http://127.0.0.1:8080/v1/chat/completions -d 'QUESTION'; }
wait_ready() { leeroo health -c /etc/leeroo/leeroo.yaml --wait 20; }
pid() { systemctl show -p MainPID --value leeroo; }
cd /root
files >before
cp /root/kept/leeroo /root/replay
section installed; dpkg -i first.deb; systemctl is-enabled leeroo; systemctl is-active leeroo; ls -ld /var/lib/leeroo /etc/leeroo/environment
section shipped; leeroo check -c /etc/leeroo/leeroo.yaml
cp config /etc/leeroo/leeroo.yaml
systemd-run -q --unit=stub /root/replay replay /root/stub --listen 127.0.0.1:9000; /root/replay health http://127.0.0.1:9000 --wait 5
section started; systemctl enable --now leeroo; wait_ready; systemctl is-active leeroo; ps -o user= -p "$(pid)"
section asked; ask
section status; systemctl show leeroo -p NRestarts -p Result; journalctl -u leeroo --no-pager -o cat | tail -n 20
section key; KEY=$(leeroo keys create -c /etc/leeroo/leeroo.yaml --name me); sleep 2
ask; ask -H "authorization: Bearer $KEY"
section spend; leeroo spend -c /etc/leeroo/leeroo.yaml
section reload; systemctl reload leeroo; sleep 1; systemctl is-active leeroo
OLD=$(pid)
section upgraded; dpkg --force-confdef --force-confold -i second.deb; wait_ready; dpkg-query -W leeroo; grep 'by hand' /etc/leeroo/leeroo.yaml
[ "$OLD" != "$(pid)" ] && echo restarted; ask -H "authorization: Bearer $KEY"
section removed; dpkg -r leeroo; systemctl is-active leeroo; ls /etc/leeroo /var/lib/leeroo; ls /usr/bin/leeroo
section again; dpkg --force-confdef --force-confold -i second.deb; systemctl start leeroo; wait_ready; ask -H "authorization: Bearer $KEY"
section purged; dpkg -P leeroo; systemctl stop stub; files >after; diff before after; grep leeroo /etc/passwd
section end
"""


def second_of(deb, folder):
    """The same with a higher version, and another configuration as it comes."""
    run("dpkg-deb", "-R", deb, folder / "whole")
    control = folder / "whole" / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: .*$", r"\g<0>+later", control.read_text(), flags=re.M))
    config = folder / "whole" / "etc" / "leeroo" / "leeroo.yaml"
    config.write_text(config.read_text() + "# a newer one\n")
    run("dpkg-deb", "-b", folder / "whole", folder / "second.deb")
    return folder / "second.deb"


@pytest.fixture(scope="module")
def life(deb, tmp_path_factory):
    """What each step of the package's life printed."""
    folder = tmp_path_factory.mktemp("life")
    system = System(debian("bookworm"), folder / "system")
    root = system.root / "root"
    shutil.copy(deb, root / "first.deb")
    shutil.copy(second_of(deb, folder), root / "second.deb")
    shutil.copytree(stub.write(folder / "stub"), root / "stub")
    (root / "config").write_text(CONFIG)
    system.run("apt-get update -q && apt-get install -y --no-install-recommends systemd systemd-sysv procps /root/first.deb && "
               "mkdir /root/kept && cp /usr/bin/leeroo /root/kept/ && dpkg -P leeroo && userdel leeroo")
    text = system.boot(STEPS.replace("QUESTION", QUESTION))
    shutil.rmtree(system.root, ignore_errors=True)
    parts = re.split(r"^== (\w+)\n", text, flags=re.M)
    assert parts[-2] == "end", text
    return dict(zip(parts[1::2], parts[2::2]))


def test_it_is_installed_and_waits_for_its_owner(life):
    assert "disabled\ninactive\n" in life["installed"]
    assert re.search(r"drwx------ \d+ leeroo leeroo .* /var/lib/leeroo", life["installed"])
    assert re.search(r"-rw------- \d+ root +root .* /etc/leeroo/environment", life["installed"])


def test_the_configuration_that_it_ships_is_right(life):
    assert "1 expert, 1 policy, all well" in life["shipped"] or "all well" in life["shipped"], life["shipped"]


def test_it_starts_as_a_user_of_its_own_and_answers(life):
    assert "is ready\nactive\nleeroo\n" in life["started"], life["started"]
    assert "17 * 23 = 391" in life["asked"] and "HTTP 200" in life["asked"], life["asked"] + life["status"]
    assert "NRestarts=0" in life["status"]


def test_keys_are_asked_for_once_there_is_one(life):
    assert re.findall(r"HTTP (\d+)", life["key"]) == ["401", "200"], life["key"]
    assert "stub" in life["spend"] and "total" in life["spend"]
    assert life["reload"].strip() == "active"


def test_an_upgrade_keeps_what_was_changed_and_restarts(life):
    assert "+later" in life["upgraded"] and "changed by hand" in life["upgraded"]
    assert "restarted" in life["upgraded"] and "HTTP 200" in life["upgraded"], life["upgraded"]


def test_removing_leaves_configuration_and_state(life):
    removed = life["removed"]
    assert "inactive" in removed and "leeroo.yaml" in removed and "keys.json" in removed and "ledger.sqlite" in removed
    assert "'/usr/bin/leeroo': No such file" in removed
    assert "HTTP 200" in life["again"], life["again"]


def test_a_purge_leaves_the_user_alone(life):
    """As Debian has it: a number that files may still carry is not given away."""
    left = re.findall(r"^[<>] (.*)$", life["purged"], re.M)
    assert [path for path in left if "leeroo" in path] == [], life["purged"]
    assert re.search(r"^leeroo:", life["purged"], re.M)


def test_lintian_finds_no_error(deb):
    """The address of the maintainer is nobody's before there is a release."""
    need("lintian")
    run("lintian", "--fail-on", "error", "--suppress-tags", "bogus-mail-host,bogus-mail-host-in-debian-changelog",
        *sorted(deb.parent.glob("*.deb")))


def test_what_the_package_is(deb):
    fields = dict(re.findall(r"^ (\w[\w-]+): (.*)$", run("dpkg-deb", "-I", deb).stdout, re.M))
    assert fields["Package"] == "leeroo" and re.search(r"\blibc6 \(>= 2\.36\)", fields["Depends"]), fields
    files = run("dpkg-deb", "-c", deb).stdout
    for path in ("man1/leeroo-serve.1.gz", "man5/leeroo.yaml.5.gz", "bash-completion/completions/leeroo", "sbom.cdx.json",
                 "doc/leeroo/docs/installing.md", "doc/leeroo/examples/leeroo.yaml", "sysusers.d/leeroo.conf"):
        assert path in files, path
