# Runs in the emulated machine: follows the README's path for a device, with a card that was posted.
set -u
cd /mnt/roommood || exit 1
say() { echo "SHOWN $(cut -d. -f1 /proc/uptime) s: $*"; }
say "$(. /etc/os-release; echo "$PRETTY_NAME"), $(uname -m), $(python3 --version 2>/dev/null || echo 'no Python yet')"
mkdir -p /boot/firmware /srv/films
cp /mnt/lesson.avi /srv/films/
cp /mnt/roommood-enrol.yaml /boot/firmware/
say "install-agent begins"
if [ -d /mnt/debs ]; then mkdir -p /var/cache/apt/archives; dpkg -i /mnt/debs/*.deb >/dev/null 2>&1; fi
./deploy/install-agent --camera /srv/films/lesson.avi --wheels /mnt/wheels || say "FAILED: install-agent"
say "install-agent ended"
for _ in $(seq 300); do systemctl is-active --quiet roommood-agent && break; sleep 1; done
say "agent: $(systemctl is-active roommood-agent)"
for _ in $(seq 120); do case $(systemctl show -P StatusText roommood-agent) in *": 0.0 "*) ;; *frames/s*) break ;; esac; sleep 1; done
say "agent: $(systemctl show -P StatusText roommood-agent)"
say "card: $(ls /boot/firmware/roommood-enrol.yaml 2>&1)"
systemctl start roommood-addresses.service
say "addresses: $(systemctl show -P IPAddressAllow roommood-agent)"
systemctl start roommood-device.service && say "errand: $(systemctl show -P Result roommood-device)"
say "security: $(systemd-analyze security --no-pager roommood-agent.service | tail -1)"
say "identity: $(stat -c '%U %a %n' /var/lib/roommood-agent/identity/key.pem)"
./deploy/install-agent --camera /srv/films/lesson.avi --wheels /mnt/wheels >/dev/null 2>&1 && say "install-agent again: unchanged"
sleep 20
say "memory: $(systemctl show -P MemoryCurrent roommood-agent) bytes, restarts: $(systemctl show -P NRestarts roommood-agent)"
cp -r /mnt/roommood /tmp/newer
sed -i 's/^version = .*/version = "0.2.0"/' /tmp/newer/pyproject.toml
echo 'raise RuntimeError("a defect")' >>/tmp/newer/edge/agent.py
sed -i 's/^Description=.*/Description=a newer unit/' /tmp/newer/systemd/roommood-agent.service
/tmp/newer/deploy/install-agent --wheels /mnt/wheels
say "a newer version with a defect: status $?; in use: $(basename "$(readlink /opt/roommood/agent/current)"), $(systemctl is-active roommood-agent), unit: $(systemctl show -P Description roommood-agent)"
sed -i '/a defect/d' /tmp/newer/edge/agent.py
/tmp/newer/deploy/install-agent --wheels /mnt/wheels
say "a newer version: status $?; in use: $(basename "$(readlink /opt/roommood/agent/current)"), $(systemctl is-active roommood-agent), unit: $(systemctl show -P Description roommood-agent)"
journalctl -u roommood-agent -u roommood-enrol -u roommood-device -u roommood-addresses --no-pager -o cat | tail -25
# As after an upgrade to the next Debian: the environment's Python is gone.
ln -sfn /usr/bin/python3.9-gone "$(readlink -f /opt/roommood/agent/current)/bin/python3"
systemctl restart roommood-agent; sleep 3
say "without its Python: $(systemctl is-active roommood-agent)"
systemctl start roommood-agent-environment.service || say "FAILED: the environment"
for _ in $(seq 60); do systemctl is-active --quiet roommood-agent && break; sleep 1; done
say "mended: $(journalctl -u roommood-agent-environment -n 1 --no-pager -o cat)"
systemctl is-active --quiet roommood-agent || say "FAILED: the agent after it"
./deploy/install-agent --uninstall --purge
say "left: $(ls -d /opt/roommood /etc/roommood /var/lib/roommood-agent /etc/systemd/system/roommood* 2>/dev/null | tr '\n' ' ')"
say "the end"
