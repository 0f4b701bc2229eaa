# SPDX-License-Identifier: MIT
# What tests in domain 0 share. A function that ends with non-zero fails the test; "fail" says why.

CONSOLES=/var/log/xen/console
# Debian's kernel, where there is room in its LZ4 form: xz takes an emulator five seconds a guest.
KERNEL=/boot/vmlinuz
[ ! -e /tests/boot/vmlinuz-lz4 ] || KERNEL=/tests/boot/vmlinuz-lz4

fail() {
	echo "$*"
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# COMMAND | match REGEX: the output has a line like it. Prints the output if not.
match() {
	local text
	text=$(cat)
	grep -Eq -- "$1" <<<"$text" && return 0
	echo "$text"
	fail "no line like: $1"
}

# same WHAT WANTED GOT
same() {
	[ "$2" = "$3" ] || fail "$1: wanted \"$2\", got \"$3\""
}

# within SECONDS COMMAND...: the command succeeds before the time is over.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/tmp/within.log 2>&1; do
		[ $SECONDS -le $end ] || {
			cat /tmp/within.log
			fail "in vain: $*"
		}
		usleep 200000
	done
}

# patience COMMAND...: waits for it to succeed, 20 s at most, and leaves the verdict to the caller.
patience() {
	local end=$((SECONDS + 20))
	until "$@" || [ $SECONDS -gt $end ]; do usleep 200000; done
}

# The columns of `xl list`: Name ID Mem VCPUs State Time(s)
column() {
	xl list "$1" | awk -v c="$2" 'NR == 2 { print $c }'
}

memory_of() { column "$1" 3; }
vcpus_of() { column "$1" 4; }
state_of() { column "$1" 5; }

is_there() { xl domid "$1"; }
is_gone() { ! xl domid "$1"; }

# stop NAME: shuts it down and waits until it is taken apart, too: xl shutdown -w returns before that.
stop() {
	xl shutdown -w "$1"
	within 30 is_gone "$1"
}

# config NAME [LINE...]: writes /tmp/NAME.cfg, a small guest without devices; later lines win.
config() {
	local name=$1
	shift
	{
		cat <<-CFG
			name = "$name"
			type = "pv"
			kernel = "$KERNEL"
			ramdisk = "/boot/guest-test.cpio"
			extra = "console=hvc0 quiet"
			memory = 96
			vcpus = 1
			on_poweroff = "destroy"
			on_reboot = "restart"
			on_crash = "destroy"
		CFG
		printf '%s\n' "$@"
	} >"/tmp/$name.cfg"
	rm -f "$CONSOLES/guest-$name.log"
}

# create NAME [LINE...]: the guest runs and has reached its shell (or its task's end).
create() {
	local name=$1
	config "$@"
	xl create -q "/tmp/$name.cfg"
	says "$name" "guest: ready" "${READY:-90}"
}

# said NAME REGEX; says NAME REGEX SECONDS: the guest has said it, or does within that time.
said() {
	grep -Eq -- "$2" "$CONSOLES/guest-$1.log"
}

says() {
	local end=$((SECONDS + $3))
	until said "$1" "$2" 2>/dev/null; do
		[ $SECONDS -le $end ] || {
			tail -n 20 "$CONSOLES/guest-$1.log"
			fail "$1 did not say \"$2\" within $3 s"
		}
		usleep 200000
	done
}

# The guest that several tests use one after the other: made where it is missing.
need_guest() {
	xl domid "$1" >/dev/null 2>&1 || create "$@"
}

# tell NAME COMMAND: types the command at the guest's console.
tell() {
	{
		usleep 300000
		printf '\n%s\n' "$2"
		sleep 1
		printf '\035'
		usleep 300000
	} | script -q -c "xl console $1" /dev/null >/tmp/tell.log 2>&1
}

free_memory() { xl info | awk '$1 == "free_memory" { print $3 }'; }
