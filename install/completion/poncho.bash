# SPDX-License-Identifier: MIT
# Completion of poncho for bash.
_poncho()
{
	local command=${COMP_WORDS[1]} words=
	if [ "$COMP_CWORD" = 1 ]; then
		words="doctor try enable disable status healthy network help"
	else
		case $command in
		doctor | status) words="--json" ;;
		try) words="--kexec --seconds --no-reboot --force --hypervisor-args --dom0-args" ;;
		enable) words="--force" ;;
		healthy) words="--seconds" ;;
		network) words="start stop reload status bridge confirm unbridge" ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -F _poncho poncho
