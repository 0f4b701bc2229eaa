# SPDX-License-Identifier: MIT
#
# What the hotplug scripts of this folder share, in plain POSIX shell. Whoever starts them says in the environment which device it is
# about (XENBUS_PATH, vif); its nodes and our answers are in xenstore. xend hands the nodes over as lines in PONCHO_KNOWN and takes the
# answers on file descriptor 3, which spares programs; with any other toolstack xenstore-read and xenstore-write do it.

nl='
'
XENBUS_PATH=${XENBUS_PATH:?}
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

# field NAME: the node's value (nothing if there is none) in $value
field() {
	value=
	if [ -n "${PONCHO_KNOWN+set}" ]; then
		case "$nl$PONCHO_KNOWN" in
		*"$nl$1="*)
			value=$nl$PONCHO_KNOWN
			value=${value#*"$nl$1="}
			value=${value%%"$nl"*}
			;;
		esac
	else
		value=$(xenstore-read "$XENBUS_PATH/$1" 2>/dev/null) || value=
	fi
}

# answer NAME VALUE [NAME VALUE...]: writes nodes of the back end
answer() {
	if [ -n "${PONCHO_KNOWN+set}" ]; then
		printf '%s %s\n' "$@" >&3
		return
	fi
	set -- "$@" --
	while [ "$1" != -- ]; do
		set -- "$@" "$XENBUS_PATH/$1" "$2"
		shift 2
	done
	shift
	xenstore-write "$@"
}

# refuse STATUS SENTENCE: what hotplug-status becomes, and why
refuse() {
	echo "${0##*/}: $2" >&2
	answer hotplug-error "$2" hotplug-status "$1"
	exit 1
}

fail() {
	refuse error "$1"
}
