# A guest with 1 and one with 4 vCPUs: pings and 10 MB by TCP each way through xen-netback and the bridge.
# limit: 180
mkdir -p /tmp/www
dd if=/dev/urandom of=/tmp/www/blob bs=1M count=10
sum=$(md5sum </tmp/www/blob)
httpd -p 7001 -h /tmp/www
for vcpus in 1 4; do
	create net "vcpus = $vcpus" 'vif = [ "mac=00:16:3e:00:00:07,bridge=xenbr0" ]' \
		'extra = "console=hvc0 quiet address=192.168.77.7/24 task=net"'
	grep '^net:' $CONSOLES/guest-net.log
	said net 'net: domain 0 answers'
	said net "net: received ${sum%% *}"
	ping -c 5 -W 3 192.168.77.7 | match ' 0% packet loss'
	ping -c 5 -W 3 -s 1400 192.168.77.7 | match ' 0% packet loss'
	same "checksum of what came back" "$sum" "$(wget -q -O - http://192.168.77.7:7002/blob | md5sum)"
	xl destroy net
	within 15 is_gone net
done
killall httpd
rm -r /tmp/www
