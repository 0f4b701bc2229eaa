# xenstored is killed again and again.
# limit: 500
. /tests/kill/lib.sh
kill_often xenstored /run/xenstore.pid xenstored --pid-file /run/xenstore.pid
