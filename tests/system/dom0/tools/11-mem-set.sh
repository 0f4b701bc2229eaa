# xl mem-set: the guest's balloon gives memory back and takes it again.
create g2 'memory = 160' 'maxmem = 192'
is_about() {
	local m
	m=$(memory_of g2)
	[ "$m" -ge $(($1 - 3)) ] && [ "$m" -le $(($1 + 3)) ]
}
is_about 160
free=$(free_memory)
xl mem-set g2 128m
within 20 is_about 128
more() { [ $(($(free_memory) - free)) -ge 25 ]; }
within 10 more
xl mem-set g2 160m
within 20 is_about 160
xl destroy g2
