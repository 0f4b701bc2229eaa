# The same kernel as bare ELF, gzip and zstd: what libxenguest's loader makes of it must run.
# limit: 240
for how in elf gzip zstd; do
	[ -e "/tests/boot/vmlinuz-$how" ] || continue
	create packed "kernel = \"/tests/boot/vmlinuz-$how\"" 'memory = 160'
	xl destroy packed
	within 15 is_gone packed
done
