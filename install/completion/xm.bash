# Completion of xm and xl for bash; made by 'xm completion bash'.
_xm()
{
	local program=${COMP_WORDS[0]##*/} command= commands= options= domains= i
	local current=${COMP_WORDS[COMP_CWORD]}
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
	done
	case $program in
	xm)
		commands="block-attach block-configure block-detach block-list completion config-update console cpupool-list create debug-keys delete destroy dmesg domid domname domstate dump-core help info list log mem-max mem-set network-attach network-detach network-list new pause reboot rename reset sched-credit sched-credit2 shutdown start sysrq top trigger unpause uptime vcpu-list vcpu-pin vcpu-set vm-list"
		case $command in
		block-attach) options="--help" ;;
		block-configure) options="--help" ;;
		block-detach) options="-f --force --help" ;;
		block-list) options="-l --long --json --help" ;;
		completion) options="--help" ;;
		config-update) options="-f --defconfig -d --debug -q --quiet --help" ;;
		console) options="-t --type -n --num -e --escape -q --quiet --help" ;;
		cpupool-list) options="-c --cpus -l --long --json --help" ;;
		create) options="-c --console -p --paused -q --quiet -f --defconfig -F --config --path -n --dryrun -x --xmldryrun -s --skipdtd --vncviewer --vncviewer-autopass --json --help" ;;
		debug-keys) options="--help" ;;
		delete) options="--help" ;;
		destroy) options="--help" ;;
		dmesg) options="-c --clear --help" ;;
		domid) options="--help" ;;
		domname) options="--help" ;;
		domstate) options="--help" ;;
		dump-core) options="-L --live -C --crash -R --reset --help" ;;
		help) options="-l --long --help" ;;
		info) options="-n --numa -c --config --json --help" ;;
		list) options="-l --long -v --verbose --label --state --pool --json --help" ;;
		log) options="--help" ;;
		mem-max) options="--help" ;;
		mem-set) options="--help" ;;
		network-attach) options="--help" ;;
		network-detach) options="-f --force --help" ;;
		network-list) options="-l --long --json --help" ;;
		new) options="-p --paused -c --console_autoconnect -q --quiet -f --defconfig -F --config --path -n --dryrun -x --xmldryrun -s --skipdtd --vncviewer --vncviewer-autopass --json --help" ;;
		pause) options="--help" ;;
		reboot) options="-a --all -w --wait --help" ;;
		rename) options="--help" ;;
		reset) options="--help" ;;
		sched-credit) options="-d --domain -w --weight -c --cap --json --help" ;;
		sched-credit2) options="-d --domain -w --weight --json --help" ;;
		shutdown) options="-a --all -w --wait -H --halt -R --reboot --help" ;;
		start) options="-p --paused -c --console --vncviewer --vncviewer-autopass --help" ;;
		sysrq) options="--help" ;;
		top) options="-d --delay -n --networks -x --vbds -r --repeat-header -v --vcpus -f --full-name -z --dom0-first -b --batch -i --iterations --help" ;;
		trigger) options="--help" ;;
		unpause) options="--help" ;;
		uptime) options="-s --short --json --help" ;;
		vcpu-list) options="--json --help" ;;
		vcpu-pin) options="--help" ;;
		vcpu-set) options="--help" ;;
		vm-list) options="--json --help" ;;
		esac
		case $command in
		block-attach|block-configure|block-detach|block-list|config-update|console|delete|destroy|domid|domname|domstate|dump-core|list|mem-max|mem-set|network-attach|network-detach|network-list|pause|reboot|rename|reset|shutdown|start|sysrq|trigger|unpause|uptime|vcpu-list|vcpu-pin|vcpu-set) domains=1 ;;
		esac
		;;
	*)
		commands="block-attach block-detach block-list claims completion config-update console cpupool-list create debug-keys delete destroy dmesg domid domname domstate dump-core help info list log mem-max mem-set network-attach network-detach network-list new pause reboot rename reset sched-credit sched-credit2 shutdown start sysrq top trigger unpause uptime vcpu-list vcpu-pin vcpu-set vm-list"
		case $command in
		block-attach) options="--help" ;;
		block-detach) options="-f --force --help" ;;
		block-list) options="--json --help" ;;
		claims) options="--help" ;;
		completion) options="--help" ;;
		config-update) options="-f --defconfig -d --debug -q --quiet --help" ;;
		console) options="-t --type -n --num -e --escape --help" ;;
		cpupool-list) options="-c --cpus --json --help" ;;
		create) options="-c --console -p --paused -q --quiet -f --defconfig -n --dryrun -F --foreground -d --debug -e --no-wait -V --vncviewer -A --vncviewer-autopass -i --ignore-global-affinity-masks --json --help" ;;
		debug-keys) options="--help" ;;
		delete) options="--help" ;;
		destroy) options="-f --force --help" ;;
		dmesg) options="-c --clear --help" ;;
		domid) options="--help" ;;
		domname) options="--help" ;;
		domstate) options="--help" ;;
		dump-core) options="--help" ;;
		help) options="-l --long --help" ;;
		info) options="-n --numa --json --help" ;;
		list) options="-l --long -v --verbose -Z --context -c --cpupool -n --numa --json --help" ;;
		log) options="--help" ;;
		mem-max) options="--help" ;;
		mem-set) options="--help" ;;
		network-attach) options="--help" ;;
		network-detach) options="-f --force --help" ;;
		network-list) options="--json --help" ;;
		new) options="-q --quiet -f --defconfig -n --dryrun --json --help" ;;
		pause) options="--help" ;;
		reboot) options="-a --all -w --wait -F --fallback --help" ;;
		rename) options="--help" ;;
		reset) options="--help" ;;
		sched-credit) options="-d --domain -w --weight -c --cap -s --schedparam -t --tslice_ms -r --ratelimit_us -m --migration_delay_us -p --cpupool --json --help" ;;
		sched-credit2) options="-d --domain -w --weight -c --cap -s --schedparam -r --ratelimit_us -p --cpupool --json --help" ;;
		shutdown) options="-a --all -w --wait -F --fallback --help" ;;
		start) options="-p --paused -c --console --vncviewer --vncviewer-autopass --help" ;;
		sysrq) options="--help" ;;
		top) options="-d --delay -n --networks -x --vbds -r --repeat-header -v --vcpus -f --full-name -z --dom0-first -b --batch -i --iterations --help" ;;
		trigger) options="--help" ;;
		unpause) options="--help" ;;
		uptime) options="-s --short --json --help" ;;
		vcpu-list) options="--json --help" ;;
		vcpu-pin) options="-f --force -i --ignore-global-affinity-masks --help" ;;
		vcpu-set) options="-i --ignore-host --help" ;;
		vm-list) options="--json --help" ;;
		esac
		case $command in
		block-attach|block-detach|block-list|config-update|console|delete|destroy|domid|domname|domstate|dump-core|list|mem-max|mem-set|network-attach|network-detach|network-list|pause|reboot|rename|reset|shutdown|start|sysrq|trigger|unpause|uptime|vcpu-list|vcpu-pin|vcpu-set) domains=1 ;;
		esac
		;;
	esac
	if [[ -z $command || $command == help ]]; then
		COMPREPLY=($(compgen -W "$commands" -- "$current"))
	elif [[ $current == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$current"))
	elif [[ -n $domains ]]; then
		COMPREPLY=($(compgen -W "$("$program" list 2>/dev/null | tail -n +2 | cut -d' ' -f1)" -- "$current"))
	else
		COMPREPLY=($(compgen -f -- "$current"))
	fi
}
complete -o filenames -F _xm xm xl
