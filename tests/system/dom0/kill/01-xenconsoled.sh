# xenconsoled is killed again and again.
# limit: 500
. /tests/kill/lib.sh
kill_often xenconsoled /run/xenconsoled.pid xenconsoled --pid-file /run/xenconsoled.pid --log=all --log-dir=/var/log/xen/console
