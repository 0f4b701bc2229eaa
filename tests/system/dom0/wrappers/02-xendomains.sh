# Debian's init script xendomains, as it is: starts what /etc/xen/auto names, shuts it down again.
# limit: 300
mkdir -p /etc/xen/auto /lib/lsb /etc/default
[ -e /lib/lsb/init-functions ] || cat >/lib/lsb/init-functions <<'LSB'
log_action_begin_msg() { echo "$@"; }
log_action_cont_msg() { echo "$@"; }
log_action_end_msg() { return "$1"; }
log_warning_msg() { echo "$@"; }
log_failure_msg() { echo "$@"; }
log_daemon_msg() { echo "$@"; }
log_progress_msg() { echo "$@"; }
log_end_msg() { return "$1"; }
LSB
cat >/etc/default/xendomains <<'SETTINGS'
XENDOMAINS_AUTO=/etc/xen/auto
XENDOMAINS_SAVE=
XENDOMAINS_RESTORE=false
XENDOMAINS_STOP_MAXWAIT=60
SETTINGS
config first
config second
ln -sf /tmp/first.cfg /etc/xen/auto/10-first
ln -sf /tmp/second.cfg /etc/xen/auto/20-second
bash /etc/init.d/xendomains start
is_there first
is_there second
says first 'guest: ready' 90
says second 'guest: ready' 90
# A second start leaves them be.
id=$(xl domid first)
bash /etc/init.d/xendomains start
same "the domain" "$id" "$(xl domid first)"
bash /etc/init.d/xendomains stop
is_gone first
is_gone second
rm /etc/xen/auto/*
