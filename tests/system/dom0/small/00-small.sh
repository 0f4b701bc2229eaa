# 512 MB and one CPU: domain 0 and a guest.
# limit: 120
xl info | match '^total_memory +: (49|50|51)[0-9]$'
xl info | match '^nr_cpus +: 1$'
# Domain 0 has no disk: what lies in its file system takes its memory.
rm /var/lib/xen/images/guest.img
create tiny
xl list
stop tiny
