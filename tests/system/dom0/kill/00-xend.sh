# xend is killed again and again while guests work and others come and go.
# limit: 500
. /tests/kill/lib.sh
kill_often xend /run/xend.pid xend start
