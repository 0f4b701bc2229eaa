# Turns `nm -n` into the symbol table that backtraces print: addresses, offsets of names, names. Text symbols only.
BEGIN { n = 0 } # not "", which would be another index
$2 ~ /^[tT]$/ && $3 !~ /^\.L/ { addr[n] = $1; name[n] = $3; n++ }
END {
	print "\t.section .symbols, \"a\""
	print "\t.globl symbol_count, symbol_addresses, symbol_offsets, symbol_names"
	print "\t.balign 8\nsymbol_count: .quad " (n + 0)
	print "symbol_addresses:"
	for (i = 0; i < n; i++) print "\t.quad 0x" addr[i]
	print "symbol_offsets:"
	off = 0
	for (i = 0; i < n; i++) { print "\t.long " off; off += length(name[i]) + 1 }
	print "symbol_names:"
	for (i = 0; i < n; i++) print "\t.asciz \"" name[i] "\""
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
