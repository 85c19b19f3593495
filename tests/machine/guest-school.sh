# Runs in the emulated machine: a whole school on one bare Debian, following the README.
set -u
cd /mnt/roommood || exit 1
say() { echo "SHOWN $(cut -d. -f1 /proc/uptime) s: $*"; }
say "$(. /etc/os-release; echo "$PRETTY_NAME"), $(uname -m)"
mkdir -p /srv/films && cp /mnt/lesson.avi /srv/films/
begun=$(cut -d. -f1 /proc/uptime)
./deploy/install-collector --site school --host 127.0.0.1 --wheels /mnt/wheels || say "FAILED: install-collector"
say "install-collector ended"
./deploy/install-agent --camera /srv/films/lesson.avi --wheels /mnt/wheels || say "FAILED: install-agent"
say "install-agent ended"
code=$(roommood device invite --room r101 --json | sed -n 's/.*"code": "\([^"]*\)".*/\1/p')
roommood device enrol https://127.0.0.1:8642 --code "$code" --wait 5m &
for _ in $(seq 60); do roommood device list | grep -q waits && break; sleep 1; done
roommood device approve r101
wait
for _ in $(seq 120); do roommood device list --json | grep -q '"state":"live"' && break; sleep 1; done
say "live after $(($(cut -d. -f1 /proc/uptime) - begun)) s of commands"
roommood device list
roommood device list --json
say "security: $(for unit in agent collector broker; do systemd-analyze security --no-pager roommood-$unit.service | tail -1; done | tr '\n' ' ')"
roommood device sync && roommood device sync --renew && say "renewed"
sleep 8
say "agent after the renewal: $(systemctl show -P StatusText roommood-agent)"
say "broker reload: $(systemctl show -P Result roommood-broker-reload), list: $(stat -c '%U:%G %a' /var/lib/roommood-collector/site/broker/crl.pem)"
roommood site bundle --key /var/lib/roommood-collector/site/signing/site.key --site school --number 1 --pack models/packs/fer7-small --out /tmp/one.bundle
roommood device update /tmp/one.bundle --canary r101
roommood device sync
sleep 45
roommood device sync
roommood device updates
say "update: $(roommood device list --json | grep -o '"model":"[^"]*"\|"update":[^,]*' | tr '\n' ' ')"
./deploy/install-collector --wheels /mnt/wheels && say "install-collector again: unchanged"
config=/etc/roommood/collector.yaml backups=/var/backups/roommood
say "backups: timer $(systemctl is-enabled roommood-backup.timer), next $(systemctl show -P NextElapseUSecRealtime roommood-backup.timer); $(stat -c '%U %a' $backups)"
begin=$(date +%s%N)
systemctl start roommood-backup && systemctl start roommood-backup || say "FAILED: backup"
say "two backups: $((($(date +%s%N) - begin) / 1000000)) ms; $(stat -c '%U %a %s %n' $backups/*.tar.gz | tr '\n' ';')"
roommood collector backups --config $config || say "FAILED: backups"
roommood collector check --config $config | grep backups
chown root $backups
systemctl start roommood-backup && say "FAILED: a backup where the service may not write"
say "it says: $(journalctl -u roommood-backup -n 5 --no-pager -o cat | grep roommood: | tail -1)"
roommood collector check --config $config | grep backups
chown roommood-collector $backups
systemctl start roommood-backup || say "FAILED: backup"
roommood collector erase --room school/r101 --config $config
for _ in $(seq 20); do [ -e $backups/erasures.jsonl ] && break; sleep 0.5; done
rm $backups/erasures.jsonl
echo >>/var/lib/roommood-collector/erasures.jsonl
for _ in $(seq 20); do [ -e $backups/erasures.jsonl ] && break; sleep 0.5; done
say "erasures beside the backups: $(stat -c '%U %a' $backups/erasures.jsonl), $(systemctl show -P Result roommood-erasures)"
newest=$(ls $backups/*.tar.gz | tail -1)
mkdir -p /srv/elsewhere && printf 'database: sqlite:////srv/elsewhere/c.sqlite\nstate: /srv/elsewhere/state\n' >/srv/elsewhere/c.yaml
roommood collector restore --from "$newest" --config /srv/elsewhere/c.yaml || say "FAILED: restore"
say "security of backups: $(for unit in backup erasures; do systemd-analyze security --no-pager roommood-$unit.service | tail -1; done | tr '\n' ' ')"
tar -czf /tmp/checkout.tar.gz -C /mnt/roommood .
apt-get install -y -qq --no-install-recommends ansible-core >/dev/null 2>&1
printf '[roommood_canary]\nlocalhost ansible_connection=local\n[roommood]\n' >/tmp/devices.ini
ansible-playbook -i /tmp/devices.ini deploy/ansible/site.yaml -e roommood_archive=/tmp/checkout.tar.gz \
    -e roommood_camera=/srv/films/lesson.avi 2>&1 | tail -3
say "the Ansible role: $(systemctl is-active roommood-agent)"
roommood device revoke r101
sleep 20
roommood device list
say "agent after the revocation: $(journalctl -u roommood-agent -n 1 --no-pager -o cat)"
roommood collector audit show --config /etc/roommood/collector.yaml --limit 40
journalctl -u roommood-collector -u roommood-broker -u roommood-agent -u roommood-device --no-pager -o cat | tail -30
./deploy/install-agent --uninstall --purge
./deploy/install-collector --uninstall
say "uninstalled, and kept: $(ls $backups | wc -l) files of backups"
./deploy/install-collector --uninstall --purge
say "left: $(ls -d /opt/roommood /etc/roommood /var/lib/roommood* /var/backups/roommood* /etc/systemd/system/roommood* /run/roommood* 2>/dev/null | tr '\n' ' ')"
say "the end"
