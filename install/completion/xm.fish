# Completion of xm and xl for fish; made by 'xm completion fish'.
complete -c xl -f -n __fish_use_subcommand -a block-attach -d 'Give a domain another virtual disk'
complete -c xl -f -n '__fish_seen_subcommand_from block-attach' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a block-detach -d 'Take a virtual disk away'
complete -c xl -f -n '__fish_seen_subcommand_from block-detach' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from block-detach' -l force -s f -d 'Without the guest\'s consent'
complete -c xl -f -n __fish_use_subcommand -a block-list -d 'List a domain\'s virtual disks'
complete -c xl -f -n '__fish_seen_subcommand_from block-list' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a claims -d 'List memory that is claimed and not yet given'
complete -c xl -f -n __fish_use_subcommand -a completion -d 'Print the completion of a shell'
complete -c xl -f -n __fish_use_subcommand -a config-update -d 'Replace the configuration that a domain\'s next start uses'
complete -c xl -f -n '__fish_seen_subcommand_from config-update' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from config-update' -l defconfig -s f -r -d 'Read the configuration from FILE'
complete -c xl -n '__fish_seen_subcommand_from config-update' -l debug -s d -d 'Print the configuration'
complete -c xl -n '__fish_seen_subcommand_from config-update' -l quiet -s q -d 'Say nothing while all is well'
complete -c xl -f -n __fish_use_subcommand -a console -d 'Attach to a domain\'s console; Ctrl+] leaves'
complete -c xl -f -n '__fish_seen_subcommand_from console' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from console' -l type -s t -r -d 'pv or serial'
complete -c xl -n '__fish_seen_subcommand_from console' -l num -s n -r -d 'The console\'s number'
complete -c xl -n '__fish_seen_subcommand_from console' -l escape -s e -r -d 'What leaves the console (^])'
complete -c xl -f -n __fish_use_subcommand -a cpupool-list -d 'List the CPU pools'
complete -c xl -n '__fish_seen_subcommand_from cpupool-list' -l cpus -s c -d 'List the CPUs of each pool'
complete -c xl -f -n __fish_use_subcommand -a create -d 'Create a domain from a config file and start it'
complete -c xl -F -n '__fish_seen_subcommand_from create'
complete -c xl -n '__fish_seen_subcommand_from create' -l console -s c -d 'Become the domain\'s console'
complete -c xl -n '__fish_seen_subcommand_from create' -l paused -s p -d 'Leave it paused once it is there'
complete -c xl -n '__fish_seen_subcommand_from create' -l quiet -s q -d 'Say nothing while all is well'
complete -c xl -n '__fish_seen_subcommand_from create' -l defconfig -s f -r -d 'Read the configuration from FILE'
complete -c xl -n '__fish_seen_subcommand_from create' -l dryrun -s n -d 'Print what would be created, and create nothing'
complete -c xl -n '__fish_seen_subcommand_from create' -l foreground -s F -d 'Wait for the domain\'s end'
complete -c xl -n '__fish_seen_subcommand_from create' -l debug -s d -d 'Accepted, has no effect here'
complete -c xl -n '__fish_seen_subcommand_from create' -l no-wait -s e -d 'Accepted, has no effect here'
complete -c xl -n '__fish_seen_subcommand_from create' -l vncviewer -s V -d 'Accepted, has no effect here'
complete -c xl -n '__fish_seen_subcommand_from create' -l vncviewer-autopass -s A -d 'Accepted, has no effect here'
complete -c xl -n '__fish_seen_subcommand_from create' -l ignore-global-affinity-masks -s i -d 'Accepted, has no effect here'
complete -c xl -f -n __fish_use_subcommand -a debug-keys -d 'Send debug keys to the hypervisor'
complete -c xl -f -n __fish_use_subcommand -a delete -d 'Forget a managed domain that does not run'
complete -c xl -f -n '__fish_seen_subcommand_from delete' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a destroy -d 'End a domain at once'
complete -c xl -f -n '__fish_seen_subcommand_from destroy' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from destroy' -l force -s f -d 'Also domain 0'
complete -c xl -f -n __fish_use_subcommand -a dmesg -d 'Print the hypervisor\'s messages'
complete -c xl -n '__fish_seen_subcommand_from dmesg' -l clear -s c -d 'Clear the messages after printing them'
complete -c xl -f -n __fish_use_subcommand -a domid -d 'Tell the id of a domain\'s name'
complete -c xl -f -n '__fish_seen_subcommand_from domid' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a domname -d 'Tell the name of a domain\'s id'
complete -c xl -f -n '__fish_seen_subcommand_from domname' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a domstate -d 'Tell a domain\'s state in a word'
complete -c xl -f -n '__fish_seen_subcommand_from domstate' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a dump-core -d 'Write a domain\'s memory to a file'
complete -c xl -f -n '__fish_seen_subcommand_from dump-core' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a help -d 'Tell what there is and how to use it'
complete -c xl -n '__fish_seen_subcommand_from help' -l long -s l -d 'All commands, those not done yet, exit statuses'
complete -c xl -f -n __fish_use_subcommand -a info -d 'Tell about the host and its hypervisor'
complete -c xl -n '__fish_seen_subcommand_from info' -l numa -s n -d 'With the CPUs\' places and NUMA nodes'
complete -c xl -f -n __fish_use_subcommand -a list -d 'List the domains'
complete -c xl -f -n '__fish_seen_subcommand_from list' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from list' -l long -s l -d 'All details'
complete -c xl -n '__fish_seen_subcommand_from list' -l verbose -s v -d 'With uuids, shutdown reasons and labels'
complete -c xl -n '__fish_seen_subcommand_from list' -l context -s Z -d 'With security labels'
complete -c xl -n '__fish_seen_subcommand_from list' -l cpupool -s c -d 'With the CPU pool of each'
complete -c xl -n '__fish_seen_subcommand_from list' -l numa -s n -d 'With the NUMA nodes of each'
complete -c xl -f -n __fish_use_subcommand -a log -d 'Print the end of xend\'s log'
complete -c xl -f -n __fish_use_subcommand -a mem-max -d 'Set the most memory a domain may have (MiB, or with k, m, g)'
complete -c xl -f -n '__fish_seen_subcommand_from mem-max' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a mem-set -d 'Set how much memory a domain shall use (MiB, or with k, m, g)'
complete -c xl -f -n '__fish_seen_subcommand_from mem-set' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a network-attach -d 'Give a domain another network interface'
complete -c xl -f -n '__fish_seen_subcommand_from network-attach' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a network-detach -d 'Take a network interface away'
complete -c xl -f -n '__fish_seen_subcommand_from network-detach' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from network-detach' -l force -s f -d 'Without the guest\'s consent'
complete -c xl -f -n __fish_use_subcommand -a network-list -d 'List a domain\'s network interfaces'
complete -c xl -f -n '__fish_seen_subcommand_from network-list' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a new -d 'Put a domain under xend\'s management without starting it'
complete -c xl -F -n '__fish_seen_subcommand_from new'
complete -c xl -n '__fish_seen_subcommand_from new' -l quiet -s q -d 'Say nothing while all is well'
complete -c xl -n '__fish_seen_subcommand_from new' -l defconfig -s f -r -d 'Read the configuration from FILE'
complete -c xl -n '__fish_seen_subcommand_from new' -l dryrun -s n -d 'Print what would be created, and create nothing'
complete -c xl -f -n __fish_use_subcommand -a pause -d 'Stop a domain\'s vCPUs'
complete -c xl -f -n '__fish_seen_subcommand_from pause' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a reboot -d 'Ask a domain to reboot'
complete -c xl -f -n '__fish_seen_subcommand_from reboot' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from reboot' -l all -s a -d 'All domains but domain 0'
complete -c xl -n '__fish_seen_subcommand_from reboot' -l wait -s w -d 'Wait until it is done'
complete -c xl -n '__fish_seen_subcommand_from reboot' -l fallback -s F -d 'Another way where the guest has no PV drivers'
complete -c xl -f -n __fish_use_subcommand -a rename -d 'Give a domain another name'
complete -c xl -f -n '__fish_seen_subcommand_from rename' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a reset -d 'Destroy a domain and start it anew'
complete -c xl -f -n '__fish_seen_subcommand_from reset' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a sched-credit -d 'Tell or set what the credit scheduler goes by'
complete -c xl -n '__fish_seen_subcommand_from sched-credit' -l domain -s d -r -d 'The domain to tell about or to change'
complete -c xl -n '__fish_seen_subcommand_from sched-credit' -l weight -s w -r -d 'Its weight, 1 to 65535'
complete -c xl -n '__fish_seen_subcommand_from sched-credit' -l cap -s c -r -d 'The most it gets, per cent of one CPU; 0: no limit'
complete -c xl -n '__fish_seen_subcommand_from sched-credit' -l schedparam -s s -d 'A pool\'s parameters'
complete -c xl -n '__fish_seen_subcommand_from sched-credit' -l tslice_ms -s t -r -d 'Its time slice'
complete -c xl -n '__fish_seen_subcommand_from sched-credit' -l ratelimit_us -s r -r -d 'How long a vCPU runs at least'
complete -c xl -n '__fish_seen_subcommand_from sched-credit' -l migration_delay_us -s m -r -d 'How long a vCPU stays where it ran'
complete -c xl -n '__fish_seen_subcommand_from sched-credit' -l cpupool -s p -r -d 'Only this pool'
complete -c xl -f -n __fish_use_subcommand -a sched-credit2 -d 'Tell or set what the credit2 scheduler goes by'
complete -c xl -n '__fish_seen_subcommand_from sched-credit2' -l domain -s d -r -d 'The domain to tell about or to change'
complete -c xl -n '__fish_seen_subcommand_from sched-credit2' -l weight -s w -r -d 'Its weight, 1 to 65535'
complete -c xl -n '__fish_seen_subcommand_from sched-credit2' -l cap -s c -r -d 'The most it gets, per cent of one CPU; 0: no limit'
complete -c xl -n '__fish_seen_subcommand_from sched-credit2' -l schedparam -s s -d 'A pool\'s parameters'
complete -c xl -n '__fish_seen_subcommand_from sched-credit2' -l ratelimit_us -s r -r -d 'How long a vCPU runs at least'
complete -c xl -n '__fish_seen_subcommand_from sched-credit2' -l cpupool -s p -r -d 'Only this pool'
complete -c xl -f -n __fish_use_subcommand -a shutdown -d 'Ask a domain to shut down'
complete -c xl -f -n '__fish_seen_subcommand_from shutdown' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from shutdown' -l all -s a -d 'All domains but domain 0'
complete -c xl -n '__fish_seen_subcommand_from shutdown' -l wait -s w -d 'Wait until it is done'
complete -c xl -n '__fish_seen_subcommand_from shutdown' -l fallback -s F -d 'Another way where the guest has no PV drivers'
complete -c xl -f -n __fish_use_subcommand -a start -d 'Start a managed domain'
complete -c xl -f -n '__fish_seen_subcommand_from start' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from start' -l paused -s p -d 'Leave it paused once it is there'
complete -c xl -n '__fish_seen_subcommand_from start' -l console -s c -d 'Become the domain\'s console'
complete -c xl -n '__fish_seen_subcommand_from start' -l vncviewer -d 'Accepted, has no effect here'
complete -c xl -n '__fish_seen_subcommand_from start' -l vncviewer-autopass -d 'Accepted, has no effect here'
complete -c xl -f -n __fish_use_subcommand -a sysrq -d 'Send a magic SysRq key to a domain'
complete -c xl -f -n '__fish_seen_subcommand_from sysrq' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a top -d 'Watch the host and its domains'
complete -c xl -n '__fish_seen_subcommand_from top' -l delay -s d -r -d 'Between two updates (3)'
complete -c xl -n '__fish_seen_subcommand_from top' -l networks -s n -d 'With the traffic of each interface'
complete -c xl -n '__fish_seen_subcommand_from top' -l vbds -s x -d 'With the traffic of each disk'
complete -c xl -n '__fish_seen_subcommand_from top' -l repeat-header -s r -d 'The heading above each domain'
complete -c xl -n '__fish_seen_subcommand_from top' -l vcpus -s v -d 'With each vCPU'
complete -c xl -n '__fish_seen_subcommand_from top' -l full-name -s f -d 'Names are not cut'
complete -c xl -n '__fish_seen_subcommand_from top' -l dom0-first -s z -d 'Domain 0 first, however sorted'
complete -c xl -n '__fish_seen_subcommand_from top' -l batch -s b -d 'Plain text, no keys'
complete -c xl -n '__fish_seen_subcommand_from top' -l iterations -s i -r -d 'End after N updates'
complete -c xl -f -n __fish_use_subcommand -a trigger -d 'Send a trigger to a domain'
complete -c xl -f -n '__fish_seen_subcommand_from trigger' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a unpause -d 'Let a paused domain run again'
complete -c xl -f -n '__fish_seen_subcommand_from unpause' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a uptime -d 'Tell how long domains have been running'
complete -c xl -f -n '__fish_seen_subcommand_from uptime' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from uptime' -l short -s s -d 'In short, with the time of day'
complete -c xl -f -n __fish_use_subcommand -a vcpu-list -d 'List the domains\' vCPUs'
complete -c xl -f -n '__fish_seen_subcommand_from vcpu-list' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -f -n __fish_use_subcommand -a vcpu-pin -d 'Set which CPUs a vCPU may use'
complete -c xl -f -n '__fish_seen_subcommand_from vcpu-pin' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from vcpu-pin' -l force -s f -d 'Also over a temporary pin'
complete -c xl -n '__fish_seen_subcommand_from vcpu-pin' -l ignore-global-affinity-masks -s i -d 'Accepted, has no effect here'
complete -c xl -f -n __fish_use_subcommand -a vcpu-set -d 'Set how many vCPUs a domain has online'
complete -c xl -f -n '__fish_seen_subcommand_from vcpu-set' -a "(xl list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xl -n '__fish_seen_subcommand_from vcpu-set' -l ignore-host -s i -d 'More than the host has CPUs, too'
complete -c xl -f -n __fish_use_subcommand -a vm-list -d 'List the uuids, ids and names of the running domains'
complete -c xm -f -n __fish_use_subcommand -a block-attach -d 'Give a domain another virtual disk'
complete -c xm -f -n '__fish_seen_subcommand_from block-attach' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a block-configure -d 'Put another back end behind a virtual disk'
complete -c xm -f -n '__fish_seen_subcommand_from block-configure' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a block-detach -d 'Take a virtual disk away'
complete -c xm -f -n '__fish_seen_subcommand_from block-detach' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from block-detach' -l force -s f -d 'Without the guest\'s consent'
complete -c xm -f -n __fish_use_subcommand -a block-list -d 'List a domain\'s virtual disks'
complete -c xm -f -n '__fish_seen_subcommand_from block-list' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from block-list' -l long -s l -d 'All details, as SXP'
complete -c xm -f -n __fish_use_subcommand -a completion -d 'Print the completion of a shell'
complete -c xm -f -n __fish_use_subcommand -a config-update -d 'Replace the configuration that a domain\'s next start uses'
complete -c xm -f -n '__fish_seen_subcommand_from config-update' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from config-update' -l defconfig -s f -r -d 'Read the configuration from FILE'
complete -c xm -n '__fish_seen_subcommand_from config-update' -l debug -s d -d 'Print the configuration'
complete -c xm -n '__fish_seen_subcommand_from config-update' -l quiet -s q -d 'Say nothing while all is well'
complete -c xm -f -n __fish_use_subcommand -a console -d 'Attach to a domain\'s console; Ctrl+] leaves'
complete -c xm -f -n '__fish_seen_subcommand_from console' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from console' -l type -s t -r -d 'pv or serial'
complete -c xm -n '__fish_seen_subcommand_from console' -l num -s n -r -d 'The console\'s number'
complete -c xm -n '__fish_seen_subcommand_from console' -l escape -s e -r -d 'What leaves the console (^])'
complete -c xm -n '__fish_seen_subcommand_from console' -l quiet -s q -d 'Accepted, has no effect here'
complete -c xm -f -n __fish_use_subcommand -a cpupool-list -d 'List the CPU pools'
complete -c xm -n '__fish_seen_subcommand_from cpupool-list' -l cpus -s c -d 'List the CPUs of each pool'
complete -c xm -n '__fish_seen_subcommand_from cpupool-list' -l long -s l -d 'All details, as SXP'
complete -c xm -f -n __fish_use_subcommand -a create -d 'Create a domain from a config file and start it'
complete -c xm -F -n '__fish_seen_subcommand_from create'
complete -c xm -n '__fish_seen_subcommand_from create' -l console -s c -d 'Become the domain\'s console'
complete -c xm -n '__fish_seen_subcommand_from create' -l paused -s p -d 'Leave it paused once it is there'
complete -c xm -n '__fish_seen_subcommand_from create' -l quiet -s q -d 'Say nothing while all is well'
complete -c xm -n '__fish_seen_subcommand_from create' -l defconfig -s f -r -d 'Read the configuration from FILE'
complete -c xm -n '__fish_seen_subcommand_from create' -l config -s F -r -d 'Read an SXP configuration'
complete -c xm -n '__fish_seen_subcommand_from create' -l path -r -d 'Folders to look for the file in (.:/etc/xen)'
complete -c xm -n '__fish_seen_subcommand_from create' -l dryrun -s n -d 'Print what would be created, and create nothing'
complete -c xm -n '__fish_seen_subcommand_from create' -l xmldryrun -s x -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from create' -l skipdtd -s s -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from create' -l vncviewer -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from create' -l vncviewer-autopass -d 'Accepted, has no effect here'
complete -c xm -f -n __fish_use_subcommand -a debug-keys -d 'Send debug keys to the hypervisor'
complete -c xm -f -n __fish_use_subcommand -a delete -d 'Forget a managed domain that does not run'
complete -c xm -f -n '__fish_seen_subcommand_from delete' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a destroy -d 'End a domain at once'
complete -c xm -f -n '__fish_seen_subcommand_from destroy' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a dmesg -d 'Print the hypervisor\'s messages'
complete -c xm -n '__fish_seen_subcommand_from dmesg' -l clear -s c -d 'Clear the messages after printing them'
complete -c xm -f -n __fish_use_subcommand -a domid -d 'Tell the id of a domain\'s name'
complete -c xm -f -n '__fish_seen_subcommand_from domid' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a domname -d 'Tell the name of a domain\'s id'
complete -c xm -f -n '__fish_seen_subcommand_from domname' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a domstate -d 'Tell a domain\'s state in a word'
complete -c xm -f -n '__fish_seen_subcommand_from domstate' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a dump-core -d 'Write a domain\'s memory to a file'
complete -c xm -f -n '__fish_seen_subcommand_from dump-core' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from dump-core' -l live -s L -d 'Do not pause the domain'
complete -c xm -n '__fish_seen_subcommand_from dump-core' -l crash -s C -d 'Destroy it afterwards'
complete -c xm -n '__fish_seen_subcommand_from dump-core' -l reset -s R -d 'Start it anew afterwards'
complete -c xm -f -n __fish_use_subcommand -a help -d 'Tell what there is and how to use it'
complete -c xm -n '__fish_seen_subcommand_from help' -l long -s l -d 'All commands, those not done yet, exit statuses'
complete -c xm -f -n __fish_use_subcommand -a info -d 'Tell about the host and its hypervisor'
complete -c xm -n '__fish_seen_subcommand_from info' -l numa -s n -d 'With the CPUs\' places and NUMA nodes'
complete -c xm -n '__fish_seen_subcommand_from info' -l config -s c -d 'xend\'s settings'
complete -c xm -f -n __fish_use_subcommand -a list -d 'List the domains'
complete -c xm -f -n '__fish_seen_subcommand_from list' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from list' -l long -s l -d 'All details'
complete -c xm -n '__fish_seen_subcommand_from list' -l verbose -s v -d 'With uuids, shutdown reasons and labels'
complete -c xm -n '__fish_seen_subcommand_from list' -l label -d 'With security labels'
complete -c xm -n '__fish_seen_subcommand_from list' -l state -r -d 'Only those that are running, paused, crashed, halted, ...'
complete -c xm -n '__fish_seen_subcommand_from list' -l pool -r -d 'Only those of a CPU pool'
complete -c xm -f -n __fish_use_subcommand -a log -d 'Print the end of xend\'s log'
complete -c xm -f -n __fish_use_subcommand -a mem-max -d 'Set the most memory a domain may have (MiB, or with k, m, g)'
complete -c xm -f -n '__fish_seen_subcommand_from mem-max' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a mem-set -d 'Set how much memory a domain shall use (MiB, or with k, m, g)'
complete -c xm -f -n '__fish_seen_subcommand_from mem-set' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a network-attach -d 'Give a domain another network interface'
complete -c xm -f -n '__fish_seen_subcommand_from network-attach' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a network-detach -d 'Take a network interface away'
complete -c xm -f -n '__fish_seen_subcommand_from network-detach' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from network-detach' -l force -s f -d 'Without the guest\'s consent'
complete -c xm -f -n __fish_use_subcommand -a network-list -d 'List a domain\'s network interfaces'
complete -c xm -f -n '__fish_seen_subcommand_from network-list' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from network-list' -l long -s l -d 'All details, as SXP'
complete -c xm -f -n __fish_use_subcommand -a new -d 'Put a domain under xend\'s management without starting it'
complete -c xm -F -n '__fish_seen_subcommand_from new'
complete -c xm -n '__fish_seen_subcommand_from new' -l paused -s p -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from new' -l console_autoconnect -s c -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from new' -l quiet -s q -d 'Say nothing while all is well'
complete -c xm -n '__fish_seen_subcommand_from new' -l defconfig -s f -r -d 'Read the configuration from FILE'
complete -c xm -n '__fish_seen_subcommand_from new' -l config -s F -r -d 'Read an SXP configuration'
complete -c xm -n '__fish_seen_subcommand_from new' -l path -r -d 'Folders to look for the file in (.:/etc/xen)'
complete -c xm -n '__fish_seen_subcommand_from new' -l dryrun -s n -d 'Print what would be created, and create nothing'
complete -c xm -n '__fish_seen_subcommand_from new' -l xmldryrun -s x -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from new' -l skipdtd -s s -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from new' -l vncviewer -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from new' -l vncviewer-autopass -d 'Accepted, has no effect here'
complete -c xm -f -n __fish_use_subcommand -a pause -d 'Stop a domain\'s vCPUs'
complete -c xm -f -n '__fish_seen_subcommand_from pause' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a reboot -d 'Ask a domain to reboot'
complete -c xm -f -n '__fish_seen_subcommand_from reboot' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from reboot' -l all -s a -d 'All domains but domain 0'
complete -c xm -n '__fish_seen_subcommand_from reboot' -l wait -s w -d 'Wait until it is done'
complete -c xm -f -n __fish_use_subcommand -a rename -d 'Give a domain another name'
complete -c xm -f -n '__fish_seen_subcommand_from rename' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a reset -d 'Destroy a domain and start it anew'
complete -c xm -f -n '__fish_seen_subcommand_from reset' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a sched-credit -d 'Tell or set what the credit scheduler goes by'
complete -c xm -n '__fish_seen_subcommand_from sched-credit' -l domain -s d -r -d 'The domain to tell about or to change'
complete -c xm -n '__fish_seen_subcommand_from sched-credit' -l weight -s w -r -d 'Its weight, 1 to 65535'
complete -c xm -n '__fish_seen_subcommand_from sched-credit' -l cap -s c -r -d 'The most it gets, per cent of one CPU; 0: no limit'
complete -c xm -f -n __fish_use_subcommand -a sched-credit2 -d 'Tell or set what the credit2 scheduler goes by'
complete -c xm -n '__fish_seen_subcommand_from sched-credit2' -l domain -s d -r -d 'The domain to tell about or to change'
complete -c xm -n '__fish_seen_subcommand_from sched-credit2' -l weight -s w -r -d 'Its weight, 1 to 65535'
complete -c xm -f -n __fish_use_subcommand -a shutdown -d 'Ask a domain to shut down'
complete -c xm -f -n '__fish_seen_subcommand_from shutdown' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from shutdown' -l all -s a -d 'All domains but domain 0'
complete -c xm -n '__fish_seen_subcommand_from shutdown' -l wait -s w -d 'Wait until it is done'
complete -c xm -n '__fish_seen_subcommand_from shutdown' -l halt -s H -d 'Halt it without power off'
complete -c xm -n '__fish_seen_subcommand_from shutdown' -l reboot -s R -d 'Reboot it instead'
complete -c xm -f -n __fish_use_subcommand -a start -d 'Start a managed domain'
complete -c xm -f -n '__fish_seen_subcommand_from start' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from start' -l paused -s p -d 'Leave it paused once it is there'
complete -c xm -n '__fish_seen_subcommand_from start' -l console -s c -d 'Become the domain\'s console'
complete -c xm -n '__fish_seen_subcommand_from start' -l vncviewer -d 'Accepted, has no effect here'
complete -c xm -n '__fish_seen_subcommand_from start' -l vncviewer-autopass -d 'Accepted, has no effect here'
complete -c xm -f -n __fish_use_subcommand -a sysrq -d 'Send a magic SysRq key to a domain'
complete -c xm -f -n '__fish_seen_subcommand_from sysrq' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a top -d 'Watch the host and its domains'
complete -c xm -n '__fish_seen_subcommand_from top' -l delay -s d -r -d 'Between two updates (3)'
complete -c xm -n '__fish_seen_subcommand_from top' -l networks -s n -d 'With the traffic of each interface'
complete -c xm -n '__fish_seen_subcommand_from top' -l vbds -s x -d 'With the traffic of each disk'
complete -c xm -n '__fish_seen_subcommand_from top' -l repeat-header -s r -d 'The heading above each domain'
complete -c xm -n '__fish_seen_subcommand_from top' -l vcpus -s v -d 'With each vCPU'
complete -c xm -n '__fish_seen_subcommand_from top' -l full-name -s f -d 'Names are not cut'
complete -c xm -n '__fish_seen_subcommand_from top' -l dom0-first -s z -d 'Domain 0 first, however sorted'
complete -c xm -n '__fish_seen_subcommand_from top' -l batch -s b -d 'Plain text, no keys'
complete -c xm -n '__fish_seen_subcommand_from top' -l iterations -s i -r -d 'End after N updates'
complete -c xm -f -n __fish_use_subcommand -a trigger -d 'Send a trigger to a domain'
complete -c xm -f -n '__fish_seen_subcommand_from trigger' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a unpause -d 'Let a paused domain run again'
complete -c xm -f -n '__fish_seen_subcommand_from unpause' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a uptime -d 'Tell how long domains have been running'
complete -c xm -f -n '__fish_seen_subcommand_from uptime' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -n '__fish_seen_subcommand_from uptime' -l short -s s -d 'In short, with the time of day'
complete -c xm -f -n __fish_use_subcommand -a vcpu-list -d 'List the domains\' vCPUs'
complete -c xm -f -n '__fish_seen_subcommand_from vcpu-list' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a vcpu-pin -d 'Set which CPUs a vCPU may use'
complete -c xm -f -n '__fish_seen_subcommand_from vcpu-pin' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a vcpu-set -d 'Set how many vCPUs a domain has online'
complete -c xm -f -n '__fish_seen_subcommand_from vcpu-set' -a "(xm list 2>/dev/null | tail -n +2 | cut -d' ' -f1)"
complete -c xm -f -n __fish_use_subcommand -a vm-list -d 'List the uuids, ids and names of the running domains'
