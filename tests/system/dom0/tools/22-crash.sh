# A guest that panics ends alone; on_crash decides.
create g2 'on_crash = "preserve"'
tell g2 'echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger'
crashed() { state_of g2 | grep -q c; }
within 20 crashed
xl list | match '^g2 .*c'
xl destroy g2
within 10 is_gone g2
xl list | match '^Domain-0'
