# The resource agent ocf:heartbeat:Xen, as it is: what Pacemaker calls, and the exit codes it goes by.
# limit: 300
export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=ocf OCF_RESKEY_CRM_meta_timeout=60000 HA_VARRUN=/run HA_RSCTMP=/run/resource-agents
export OCF_RESKEY_xmfile=/tmp/ocf.cfg OCF_RESKEY_name=ocf OCF_RESKEY_shutdown_timeout=30 HA_LOGFILE=/tmp/ocf.log HA_DEBUGLOG=/tmp/ocf.log
mkdir -p /run/resource-agents
agent() { "$OCF_ROOT/resource.d/heartbeat/Xen" "$@" >/tmp/agent.log 2>&1; }
answers() { # ACTION CODE
	local rc=0
	agent "$1" || rc=$?
	[ $rc = "$2" ] || {
		cat /tmp/agent.log
		fail "$1 answers $rc, wanted $2"
	}
}
config ocf
answers meta-data 0
answers validate-all 0
answers monitor 7
answers start 0
says ocf 'guest: ready' 90
answers monitor 0
answers status 0
# Started twice is started.
answers start 0
answers stop 0
answers monitor 7
is_gone ocf
answers stop 0
